// How a list of messages becomes rows: days, groups of one author, the first unread.

import { account } from "$/public/live/account.js";
import { dayIn } from "$/public/live/calendar.js";
import { sentAgain } from "$/public/live/outbox.js";

const GROUP_MS = 5 * 60_000;

export const byStanding = (a, b) => a.seq - b.seq;

/** The messages as rows of the Thread state (clinic_chat/ui/thread/state.py). */
export function grouped(messages, { unreadAfter, marked }) {
  const { timeZone, userId } = account.get();
  const resent = new Set(messages.map(({ client_id: id }) => sentAgain(id)));
  let before = null;
  // Which message is the first unread shows only where the one before it is known.
  let unreadSeen = messages[0]?.seq > unreadAfter + 1;
  return messages.map((message) => {
    const day = dayIn(message.at, timeZone);
    const newDay = before === null || before.day !== day;
    const firstUnread =
      !unreadSeen && message.direction === "inbound" && message.seq > unreadAfter;
    unreadSeen ||= firstUnread;
    const continues =
      !newDay &&
      !firstUnread &&
      before.direction === message.direction &&
      before.author_id === message.author_id &&
      (message.author_name === "" || before.author_name === "" ||
        before.author_name === message.author_name) &&
      Date.parse(message.at) - Date.parse(before.at) < GROUP_MS;
    before = { ...message, day };
    return {
      ...message,
      // The row keeps its place and its React key when its message is acknowledged.
      key: message.client_id || message.id,
      day: newDay ? day : "",
      starts_group: !continues,
      mine: message.author_id !== "" && message.author_id === userId,
      first_unread: firstUnread,
      marked: marked !== 0 && message.seq === marked,
      resent: resent.has(message.id),
    };
  });
}
