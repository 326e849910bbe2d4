// What this person was about to write, per conversation, on all of their devices. The newest
// saved wins, but a draft that is being typed is never replaced under the fingers. What the
// server does not have yet is kept in this browser, so that a reload loses nothing.

import { account } from "$/public/live/account.js";
import { connection } from "$/public/live/connection.js";
import { deviceId } from "$/public/live/ids.js";
import { ask } from "$/public/live/link.js";

const SAVE_AFTER_MS = 1000;
const STILL_TYPING_MS = 4000;
// Longer ones stay in this browser (clinic_chat/domain/drafts.py).
const LIMIT = 16_000;
const PREFIX = "clinic-chat:drafts";

const drafts = new Map();
// The personal version of what the server sent last, by conversation.
const versions = new Map();
// The conversations of which the server may have a draft: the others need not be emptied there.
const held = new Set();
const listeners = new Set();
let storageKey = "";

/** Call `listener(conversationId, body)` when a draft changed on another device. */
export function onRemote(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const draftOf = (conversationId) => drafts.get(conversationId)?.body ?? "";

/** The person changed the draft here. */
export function edit(conversationId, body) {
  window.clearTimeout(drafts.get(conversationId)?.timer);
  drafts.set(conversationId, {
    body,
    edit: Date.now(),
    editedAt: performance.now(),
    unsaved: true,
    timer: window.setTimeout(() => save(conversationId), body ? SAVE_AFTER_MS : 0),
  });
  store();
}

/**
 * A draft as the server has it: with an opened conversation, or from another device.
 * @param version the personal version that it is at least as new as: what came with a
 *   conversation may have been read before a change that is here already
 */
export function receive(conversationId, body, version) {
  if (version < (versions.get(conversationId) ?? 0)) return;
  versions.set(conversationId, version);
  if (body) held.add(conversationId);
  const draft = drafts.get(conversationId);
  if (draft?.unsaved) return;
  window.clearTimeout(draft?.timer);
  if (draftOf(conversationId) === body) return;
  const quiet = draft ? performance.now() - draft.editedAt : Infinity;
  if (quiet < STILL_TYPING_MS) {
    const later = () => receive(conversationId, body, version);
    draft.timer = window.setTimeout(later, STILL_TYPING_MS - quiet);
  } else {
    show(conversationId, body, false);
  }
}

/** Forget everything, as signing out does. */
export function clear() {
  drafts.clear();
  held.clear();
  store();
}

async function save(conversationId) {
  const draft = drafts.get(conversationId);
  if (!draft?.unsaved || draft.body.length > LIMIT) return;
  const { body, edit } = draft;
  if (body) held.add(conversationId);
  else if (!held.has(conversationId)) {
    draft.unsaved = false;
    store();
    return;
  }
  const answer = await ask("draft:save", { conversationId, body, device: deviceId(), edit });
  if (answer.error || drafts.get(conversationId) !== draft) return;
  if (answer.edit > Date.now()) {
    // Numbers are times, and this browser's clock was set back since it saved last.
    draft.edit = answer.edit + 1;
    store();
    await save(conversationId);
    return;
  }
  draft.unsaved = false;
  // Another tab of this browser was later.
  if (answer.edit > edit) {
    receive(conversationId, answer.body, versions.get(conversationId) ?? 0);
  }
  store();
}

function show(conversationId, body, unsaved, edit = 0) {
  drafts.set(conversationId, { body, edit, editedAt: -Infinity, unsaved, timer: null });
  for (const listener of listeners) listener(conversationId, body);
}

function store() {
  if (!storageKey) return;
  const unsaved = [...drafts].filter(([, draft]) => draft.unsaved);
  try {
    const bodies = unsaved.map(([conversationId, { body, edit }]) => [conversationId, body, edit]);
    if (bodies.length > 0) window.localStorage.setItem(storageKey, JSON.stringify(bodies));
    else window.localStorage.removeItem(storageKey);
  } catch {
    // Full or forbidden storage: the drafts last as long as the page does.
  }
}

function load({ userId, clinic }) {
  const key = userId && `${PREFIX}:${userId}:${clinic}`;
  if (key === storageKey) return;
  storageKey = key;
  try {
    const bodies = JSON.parse(window.localStorage.getItem(key) ?? "[]");
    for (const [conversationId, body, edit] of bodies) {
      held.add(conversationId);
      show(conversationId, body, true, edit);
    }
  } catch {
    // Nothing that can be read was kept.
  }
  saveAll();
}

function saveAll() {
  for (const [conversationId, { unsaved }] of drafts) if (unsaved) save(conversationId);
}

account.subscribe(load);
connection.subscribe(({ status }) => {
  if (status === "live" || status === "polling") saveAll();
});
