// Conversation actions: each either takes effect or shows a notice that it did not.

import { ownUserId } from "../connection/identity.js";
import { listPath } from "../navigation/filters.js";
import { request } from "../connection/request.js";
import { notice } from "../components/notices.js";
import { keepUnread } from "./read_marker.js";
import { goTo } from "../navigation/router.js";

export const setStatus = (conversationId, status) =>
  act("conversation:status", { conversationId, status });

/** Assign a conversation to somebody ("" for nobody), if its assignee is still `expected`. */
export const assign = (conversationId, assigneeId, expected) =>
  act("conversation:assign", { conversationId, assigneeId, expected });

export const assignToMe = (conversationId, expected) =>
  assign(conversationId, ownUserId(), expected);

/** Mark a conversation unread and go back to the list, or it would be read again at once. */
export async function markUnread(conversationId) {
  keepUnread(conversationId);
  goTo(listPath());
  await act("conversation:unread", { conversationId });
}

async function act(event, data) {
  const { error } = await request(event, data);
  if (error) notice(isSetFree(error) ? "already_unassigned" : error.code, { name: error.name });
}

/** Whether a conversation that was assigned on the screen is nobody's by now. */
const isSetFree = ({ code, name }) => code === "already_assigned" && !name;
