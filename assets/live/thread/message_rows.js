// Message rows: groups messages by day and author, and finds the first unread one.

import { account } from "../account/account.js";
import { ownUserId } from "../connection/identity.js";
import { dayIn } from "../lib/calendar.js";
import { folding } from "./long_messages.js";
import { sentAgain } from "../outbox/outbox.js";

const GROUP_MS = 5 * 60_000;
// A channel that passes a message on this much later should be seen to.
const LATE_MS = 5 * 60_000;

export const bySeq = (a, b) => a.seq - b.seq;

/**
 * The messages as rows of the Thread state (clinic_chat/ui/thread/state.py). Rows and days are in
 * the order of arrival; a channel's own time is shown beside.
 */
export function grouped(messages, { unreadAfter, marked, patientName = "" }) {
  const { timeZone } = account.get();
  const mine = ownUserId();
  const resent = new Set(messages.map(({ client_id: id }) => sentAgain(id)));
  let before = null;
  // Which message is the first unread shows only where the one before it is known.
  let unreadSeen = messages[0]?.seq > unreadAfter + 1;
  // Where several people write from one number, each says who it is.
  const several = messages.some(
    ({ direction, author_name: name }) =>
      direction === "inbound" && name !== "" && name !== patientName,
  );
  return messages.map((message) => {
    const arrived = message.received_at || message.at;
    const day = dayIn(arrived, timeZone);
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
      Date.parse(arrived) - before.arrived < GROUP_MS;
    before = { ...message, day, arrived: Date.parse(arrived) };
    const inbound = message.direction === "inbound";
    const author = message.author_name || (inbound ? patientName : "");
    return {
      ...message,
      ...folding(message),
      author_name: author,
      sender: several && inbound && !continues ? author : "",
      sent_late: Date.parse(arrived) - Date.parse(message.at) > LATE_MS,
      sent_on_other_day: dayIn(message.at, timeZone) !== day,
      // The row keeps its place and its React key when its message is acknowledged.
      key: message.client_id || message.id,
      day: newDay ? day : "",
      starts_group: !continues,
      mine: message.author_id !== "" && message.author_id === mine,
      first_unread: firstUnread,
      marked: marked !== 0 && message.seq === marked,
      resent: resent.has(message.id),
    };
  });
}
