// Recent threads: the newest messages of the last opened conversations, in this page's memory only.
// They show without a connection, and at once on the way back. They are forgotten on sign-out and
// on a change of person or clinic.

import { MESSAGES_PAGE } from "$/utils/constants.js";
import { account } from "../account/account.js";

const CONVERSATIONS = 20;

const kept = new Map();
let owner = "";

/** Keep the newest messages of a conversation; its last one must be among the feed's. */
export function keep({ key, version, items }, row) {
  if (!row) return;
  const newest = [...items.values()].sort((a, b) => a.seq - b.seq).slice(-MESSAGES_PAGE);
  kept.delete(key);
  kept.set(key, { version, items: newest, row });
  if (kept.size > CONVERSATIONS) kept.delete(kept.keys().next().value);
}

/** The kept part of a conversation: `{version, items, row}`, undefined for nothing. */
export const recall = (conversationId) => kept.get(conversationId);

export const forget = (conversationId) => kept.delete(conversationId);

account.subscribe(({ userId, clinic }) => {
  const next = `${userId} ${clinic}`;
  if (next !== owner) kept.clear();
  owner = next;
});
