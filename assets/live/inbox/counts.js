// Conversation counts for this person by assignee, status and unread, exact and live.
//
// The server counts once; after that each patch has a conversation's count key before and after the
// change. Where that is not enough (a patch begins elsewhere than the counts end, or this person's
// marker of that time is not known here), the counts are requested again.

import { ownUserId } from "../connection/identity.js";
import { request, isConnected } from "../connection/request.js";
import { safely } from "../lib/safely.js";

const ASK_AFTER_MS = 300;
const ASK_AGAIN_MS = 2000;

let cells = new Map();
let version = 0;
let personalVersion = 0;
// Up to here this person's changes are known one by one, and with them their markers.
let heard = 0;
let timer = null;
let whenChanged = () => {};

export function onChange(listener) {
  whenChanged = listener;
}

/** The personal version up to which this tab knows all changes; the server sends later ones. */
export const personal = () => heard;

/** Take the counts of a snapshot, which has this person's markers too. */
export function set(counts) {
  const overtaken = counts.personalVersion < personalVersion;
  take(counts);
  heard = Math.max(heard, personalVersion);
  // What this person did elsewhere meanwhile is not in them.
  if (overtaken) refresh();
}

/** Take the counts of a catch-up, which has the markers that moved meanwhile too. */
export function offer(counts) {
  heard = Math.max(heard, counts.personalVersion);
  takeUnlessBehind(counts);
}

function take(counts) {
  version = counts.version;
  personalVersion = counts.personalVersion;
  cells = new Map(
    counts.cells.map(({ who, status, unread, count }) => [key(who, status, unread), count]),
  );
}

/**
 * Apply the moves between two versions of the list.
 * @param markerAt returns the number of inbound messages of a conversation that this person had
 *   read at a personal version, undefined if that is not known
 */
export function move({ moves, from, to }, markerAt) {
  if (to <= version) return;
  const continues = from === version;
  version = to;
  if (!continues) {
    refresh();
    return;
  }
  for (const { id, was, state } of moves) {
    const marker = was === null ? 0 : known(id, markerAt);
    if (marker === undefined) {
      refresh();
      return;
    }
    if (was !== null) add(cellOf(was, marker), -1);
    if (state !== null) add(cellOf(state, marker), 1);
  }
}

// Counts that overtook this person's own changes are ahead of the markers.
const known = (id, markerAt) =>
  heard < personalVersion ? undefined : markerAt(id, personalVersion);

/** Apply a change of one of this person's read markers. */
export function mark({ version: its, was, inbound_read, state }) {
  heard = Math.max(heard, its);
  if (its <= personalVersion) return;
  personalVersion = its;
  add(cellOf(state, was), -1);
  add(cellOf(state, inbound_read), 1);
}

/** Note the version of another change of this person's own data. */
export function saw(its) {
  heard = Math.max(heard, its);
  personalVersion = Math.max(personalVersion, its);
}

/** The number of conversations that match; an undefined condition matches all. */
export function count({ who, status, unread } = {}) {
  let sum = 0;
  for (const [name, number] of cells) {
    const [itsWho, itsStatus, itsUnread] = JSON.parse(name);
    if (who && itsWho !== who) continue;
    if (status && itsStatus !== status) continue;
    if (unread && !itsUnread) continue;
    sum += number;
  }
  return Math.max(0, sum);
}

function cellOf([status, assignee, inbound], marker) {
  const who =
    assignee === "" ? "unassigned" : assignee === ownUserId() ? "mine" : "others";
  return key(who, status, inbound > marker);
}

const key = (who, status, unread) => JSON.stringify([who, status, unread]);

function add(cell, number) {
  cells.set(cell, (cells.get(cell) ?? 0) + number);
}

// Patches that overtook the counts are not in them.
function takeUnlessBehind(counts) {
  if (counts.version < version || counts.personalVersion < personalVersion) refresh();
  else take(counts);
}

function refresh(delay = ASK_AFTER_MS) {
  window.clearTimeout(timer);
  timer = window.setTimeout(async () => {
    const { counts } = await request("counts:get", {});
    if (counts) {
      takeUnlessBehind(counts);
      safely(whenChanged);
    } else if (isConnected()) {
      refresh(ASK_AGAIN_MS);
    }
  }, delay);
}
