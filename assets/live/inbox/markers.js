// Read markers: the number of inbound messages that this person has read, by conversation.

import { MARKERS_AT_ONCE } from "$/utils/constants.js";
import { request, isConnected } from "../connection/request.js";

const ASK_AGAIN_MS = 2000;

const markers = new Map();
// The personal version of each marker.
const versions = new Map();
const asked = new Set();

/** The number of unread inbound messages of a conversation, 0 while its marker is not known. */
export const unreadOf = ({ id, inbound_count }) =>
  markers.has(id) ? Math.max(0, inbound_count - markers.get(id)) : 0;

/** A marker at a version of the person's changes, undefined if it has moved since. */
export const markerAt = (id, version) =>
  (versions.get(id) ?? 0) <= version ? markers.get(id) : undefined;

/** Begin the marker of a conversation that is new to the clinic: nothing has been read. */
export function begin(id) {
  markers.set(id, markers.get(id) ?? 0);
}

/** Take the markers of a list, which are at least as new as the version they come with. */
export function takeAll({ markers: incoming = {}, personalVersion = 0 }) {
  for (const [id, read] of Object.entries(incoming)) take(id, read, personalVersion);
}

export function take(id, read, version) {
  if ((versions.get(id) ?? 0) > version) return;
  markers.set(id, read);
  versions.set(id, version);
}

/** Forget markers that are not in a snapshot: they may have moved while this tab was away. */
export function forgetOthers({ markers: its, personalVersion }) {
  for (const id of [...markers.keys()]) {
    if (!(id in its) && (versions.get(id) ?? 0) <= personalVersion) markers.delete(id);
  }
}

/**
 * Request the markers of rows that came without: a room's patch has no data that differs per
 * viewer.
 * @param {() => Iterable<string>} ids returns the ids of the loaded conversations
 */
export async function askForMissing(ids, changed) {
  const missing = [...ids()]
    .filter((id) => !markers.has(id) && !asked.has(id))
    .slice(0, MARKERS_AT_ONCE);
  if (missing.length === 0 || !isConnected()) return;
  for (const id of missing) asked.add(id);
  const answer = await request("markers:get", { ids: missing });
  for (const id of missing) asked.delete(id);
  takeAll(answer);
  changed();
  if (answer.error) window.setTimeout(() => askForMissing(ids, changed), ASK_AGAIN_MS);
  else askForMissing(ids, changed);
}
