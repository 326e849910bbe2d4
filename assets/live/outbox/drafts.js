// Drafts: this person's unsent text per conversation, the same on all of their devices. The newest
// saved wins, but a draft is never replaced while it is being typed. A draft that the server does
// not have yet is kept in this browser, so that a reload loses nothing.

import { DRAFT_LIMIT } from "$/utils/constants.js";
import { connection } from "../connection/connection.js";
import { identity } from "../connection/identity.js";
import { deviceId } from "../lib/ids.js";
import { request } from "../connection/request.js";
import { tellAll } from "../lib/safely.js";
import * as sealed from "./sealed_storage.js";

const SAVE_AFTER_MS = 1000;
const STILL_TYPING_MS = 4000;
const PREFIX = "clinic-chat:draft";
// Earlier versions kept all of a person's drafts in one list.
const LIST = "clinic-chat:drafts";

const drafts = new Map();
// The personal version of what the server sent last, by conversation.
const versions = new Map();
// The conversations of which the server may have a draft: the others need not be emptied there.
const held = new Set();
const listeners = new Set();
let author = "";
let prefix = "";

/** Call `listener(conversationId, body)` when a draft changed on another device. */
export function onRemote(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const draftOf = (conversationId) => drafts.get(conversationId)?.body ?? "";

/** Take a change of the draft by the person in this tab. */
export function edit(conversationId, body) {
  window.clearTimeout(drafts.get(conversationId)?.timer);
  drafts.set(conversationId, {
    body,
    edit: Date.now(),
    editedAt: performance.now(),
    unsaved: true,
    timer: window.setTimeout(() => save(conversationId), body ? SAVE_AFTER_MS : 0),
  });
  store(conversationId);
}

/**
 * Take a draft from the server, with an opened conversation or from another device.
 * @param version the personal version that it is at least as new as: a draft that comes with a
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
  for (const name of sealed.names(prefix)) if (prefix) sealed.forget(name);
}

async function save(conversationId) {
  const draft = drafts.get(conversationId);
  if (!draft?.unsaved || draft.body.length > DRAFT_LIMIT) return;
  const { body, edit } = draft;
  if (body) held.add(conversationId);
  else if (!held.has(conversationId)) {
    draft.unsaved = false;
    store(conversationId);
    return;
  }
  const what = { author, conversationId, body, device: deviceId(), edit };
  const answer = await request("draft:save", what);
  if (answer.error || drafts.get(conversationId) !== draft) return;
  if (answer.edit > Date.now()) {
    // Numbers are times, and this browser's clock was set back since it saved last.
    draft.edit = answer.edit + 1;
    store(conversationId);
    await save(conversationId);
    return;
  }
  draft.unsaved = false;
  // Another tab of this browser was later.
  if (answer.edit > edit) {
    receive(conversationId, answer.body, versions.get(conversationId) ?? 0);
  }
  forgetUpTo(conversationId, answer.edit);
}

function show(conversationId, body, unsaved, edit = 0) {
  drafts.set(conversationId, { body, edit, editedAt: -Infinity, unsaved, timer: null });
  tellAll(listeners, conversationId, body);
}

// Where the browser does not take it, the draft lasts as long as the page does.
function store(conversationId) {
  if (!prefix) return;
  const { body, edit, unsaved } = drafts.get(conversationId);
  if (unsaved) sealed.keep(prefix + conversationId, { body, edit });
  else forgetUpTo(conversationId, edit);
}

// Another tab may keep one that is newer than what the server has now.
function forgetUpTo(conversationId, edit) {
  const name = prefix + conversationId;
  if (prefix && !(sealed.read(name)?.edit > edit)) sealed.forget(name);
}

function load({ author: its }) {
  if (!its || its === author) return;
  author = its;
  prefix = `${PREFIX}:${its}:`;
  for (const [conversationId, { unsaved }] of drafts) if (unsaved) store(conversationId);
  moveList();
  for (const name of sealed.names(prefix)) {
    const conversationId = name.slice(prefix.length);
    const draft = sealed.read(name);
    if (!draft || drafts.get(conversationId)?.unsaved) continue;
    held.add(conversationId);
    show(conversationId, draft.body, true, draft.edit);
  }
  saveAll();
}

function moveList() {
  const name = `${LIST}:${author}`;
  const list = sealed.read(name);
  if (!Array.isArray(list)) return;
  const moved = list.every(
    ([conversationId, body, edit]) =>
      sealed.read(prefix + conversationId)?.edit >= edit ||
      sealed.keep(prefix + conversationId, { body, edit }),
  );
  if (moved) sealed.forget(name);
}

function saveAll() {
  for (const [conversationId, { unsaved }] of drafts) if (unsaved) save(conversationId);
}

identity.subscribe(load);
connection.subscribe(({ status }) => {
  if (status === "live" || status === "polling") saveAll();
});
