// What this person was about to write, per conversation, on all of their devices. The newest
// saved wins, but a draft that is being typed is never replaced under the fingers.

import { ask } from "$/public/live/link.js";

const SAVE_AFTER_MS = 1000;
const STILL_TYPING_MS = 4000;
// Longer ones stay in this tab (clinic_chat/domain/drafts.py).
const LIMIT = 16_000;

const drafts = new Map();
const listeners = new Set();

/** Call `listener(conversationId, body)` when a draft changed on another device. */
export function onRemote(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const draftOf = (conversationId) => drafts.get(conversationId)?.body ?? "";

/** The person changed the draft here. */
export function edit(conversationId, body) {
  const draft = drafts.get(conversationId) ?? {};
  window.clearTimeout(draft.timer);
  drafts.set(conversationId, {
    body,
    editedAt: performance.now(),
    unsaved: true,
    timer: window.setTimeout(() => save(conversationId), body ? SAVE_AFTER_MS : 0),
  });
}

/** A draft as the server has it: with an opened conversation, or from another device. */
export function receive(conversationId, body) {
  const draft = drafts.get(conversationId);
  if (draft?.unsaved) return;
  if (draft && performance.now() - draft.editedAt < STILL_TYPING_MS) return;
  if (draftOf(conversationId) === body) return;
  drafts.set(conversationId, { body, editedAt: -Infinity, unsaved: false, timer: null });
  for (const listener of listeners) listener(conversationId, body);
}

async function save(conversationId) {
  const draft = drafts.get(conversationId);
  if (draft.body.length > LIMIT) return;
  const answer = await ask("draft:save", { conversationId, body: draft.body });
  if (!answer.error && drafts.get(conversationId) === draft) draft.unsaved = false;
}
