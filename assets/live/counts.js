// How many conversations there are of each kind, for this person, exact and live.
//
// The server counts once; after that each patch says how a conversation stood before and how
// it stands now. Where that is not enough (this person's marker is not known here) the counts
// are asked for again.

import { account } from "$/public/live/account.js";
import { ask } from "$/public/live/link.js";

const ASK_AFTER_MS = 300;

let cells = new Map();
let version = 0;
let personalVersion = 0;
let timer = null;
let whenChanged = () => {};

export function onChange(listener) {
  whenChanged = listener;
}

/** The person's version of the counts, for the server to send only what changed since. */
export const personal = () => personalVersion;

/** Take the counts as the server has them. */
export function set(counts) {
  version = counts.version;
  personalVersion = counts.personalVersion;
  cells = new Map(
    counts.cells.map(({ who, status, unread, count }) => [key(who, status, unread), count]),
  );
}

/** Apply what moved between two versions of the list. */
export function move(moves, to, markers) {
  if (to <= version) return;
  version = to;
  for (const { id, was, state } of moves) {
    const marker = was === null ? 0 : markers.get(id);
    if (marker === undefined) {
      refresh();
      return;
    }
    if (was !== null) add(cellOf(was, marker), -1);
    add(cellOf(state, marker), 1);
  }
}

/** Apply a change of one of this person's read markers. */
export function mark({ version: its, was, inbound_read, state }) {
  if (its <= personalVersion) return;
  personalVersion = its;
  add(cellOf(state, was), -1);
  add(cellOf(state, inbound_read), 1);
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

function refresh() {
  window.clearTimeout(timer);
  timer = window.setTimeout(async () => {
    const { counts } = await ask("counts:get", {});
    if (!counts) return;
    // Patches that overtook the answer are not in it.
    if (counts.version < version || counts.personalVersion < personalVersion) refresh();
    else set(counts);
    whenChanged();
  }, ASK_AFTER_MS);
}
