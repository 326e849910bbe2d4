// How many conversations there are of each kind, for this person, exact and live.
//
// The server counts once; after that each patch says how a conversation stood before and how
// it stands now. Where that is not enough (a patch begins elsewhere than the counts end, or this
// person's marker is not known here as it was then) the counts are asked for again.

import { account } from "../account/account.js";
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

/** Up to where this person's changes are known, for the server to send only those since. */
export const personal = () => heard;

/** Take the counts of a snapshot, which came with this person's markers. */
export function set(counts) {
  const overtaken = counts.personalVersion < personalVersion;
  take(counts);
  heard = Math.max(heard, personalVersion);
  // What this person did elsewhere meanwhile is not in them.
  if (overtaken) refresh();
}

/** Take the counts of a catch-up, which came with the markers that moved meanwhile. */
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
 * Apply what moved between two versions of the list.
 * @param markerAt how much of a conversation this person had read at a personal version,
 *   undefined where that is not known
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
    add(cellOf(state, marker), 1);
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

/** Something else that is this person's alone changed. */
export function saw(its) {
  heard = Math.max(heard, its);
  personalVersion = Math.max(personalVersion, its);
}

/** How many conversations match; an undefined condition matches all. */
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
    assignee === "" ? "unassigned" : assignee === account.get().userId ? "mine" : "others";
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
