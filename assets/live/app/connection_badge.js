// Connection badge: the data of the badge and the bar, updated every second.

import { connection } from "../connection/connection.js";
import { freshness } from "./freshness.js";
import { queued } from "../outbox/outbox.js";
import { createStore } from "../lib/store.js";

const SECOND = 1000;
// Up to here the screen counts as just updated: on a good connection a proof comes every 10 s.
const FRESH_SECONDS = 10;
// A send that goes well is over before anybody could read that it waited.
const NOTICED_MS = 1000;

/**
 * `status` is the connection's, or stale when a proof of freshness is overdue; `seconds` until
 * the next attempt (0 during one); `synced` seconds since the last proof, 0 while that is fresh
 * and -1 before the first; `syncedAt` the time of the last proof (ms since 1970); `queued` the
 * number of messages that wait; `restarting` whether the server announced a restart.
 */
export const badge = createStore({
  status: "connecting",
  restarting: false,
  seconds: 0,
  synced: -1,
  syncedAt: 0,
  queued: 0,
});

let timer = null;
let waitingSince = null;
let noticed = false;

function refresh() {
  const { status: line, nextTryAt, restarting } = connection.get();
  const { syncedAt, stale } = freshness.get();
  const status = stale && (line === "live" || line === "polling") ? "stale" : line;
  const next = {
    status,
    restarting,
    seconds: Math.max(0, Math.ceil((nextTryAt - Date.now()) / SECOND)),
    synced: secondsSince(syncedAt, status),
    syncedAt,
    queued: waiting(status),
  };
  const now = badge.get();
  if (Object.keys(next).some((name) => next[name] !== now[name])) badge.set(next);
  // In step with what is counted, so that each number stays for a second.
  const since = nextTryAt ? nextTryAt - Date.now() : SECOND - ((Date.now() - syncedAt) % SECOND);
  window.clearTimeout(timer);
  timer = window.setTimeout(refresh, since > 0 ? since % SECOND || SECOND : SECOND);
}

function secondsSince(syncedAt, status) {
  if (!syncedAt) return -1;
  const seconds = Math.max(0, Math.floor((Date.now() - syncedAt) / SECOND));
  return seconds <= FRESH_SECONDS && status !== "stale" ? 0 : seconds;
}

function waiting(status) {
  const number = queued.get();
  if (number === 0) {
    waitingSince = null;
    noticed = false;
    return 0;
  }
  waitingSince ??= performance.now();
  const connected = status === "live" || status === "polling";
  // What has waited is shown until it is gone.
  noticed ||= !connected || performance.now() - waitingSince >= NOTICED_MS;
  return noticed ? number : 0;
}

for (const source of [connection, freshness, queued]) source.subscribe(refresh);
if (typeof window !== "undefined") refresh();
