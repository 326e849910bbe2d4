// Freshness check: proves end to end that the screen is current. The server answers a question
// through the same path as every patch, with the version that the list should have by then.
// An open socket and answered pings prove nothing (chatwoot #14703).

import { CHECK_FEED, CHECK_MAXIMUM_MS, STALE_MAXIMUM_MS } from "$/utils/constants.js";
import { heard } from "../lib/clock.js";
import { connection, onWake } from "../connection/connection.js";
import { isConnected, notify } from "../connection/request.js";
import { areUpTo, registerFeed } from "../feeds/registry.js";
import { createStore } from "../lib/store.js";

// While polling, a list is never staler than this; on a websocket it only guards.
const POLLING_MS = 5000;
const WEBSOCKET_MS = 10_000;
const AGAIN_MS = 500;
// An answer is late after three times what the last one took, within these limits. A slow
// network is not a dead one: the connection is renewed only after RENEW_MS more.
const LATE_MS = 2000;
const LATE_AT_MOST_MS = 8000;
const LATE_AT_FIRST_MS = 5000;
const RENEW_MS = 5000;

/** The time when the screen was last proven current, and whether a proof is overdue. */
export const freshness = createStore({ syncedAt: 0, stale: false });

let nonce = 0;
let askedAt = 0;
let roundTrip = null;
let next = null;
let late = null;
let gone = null;
// Until when what is missing may still arrive, null while nothing is missing.
let behind = null;
let lines = null;
// Since when nothing proves that the screen is current, and what the next check tells of it.
let unprovenSince = null;
let report = {};

/** Start the checks over this socket; `connectionLines` can renew the connection. */
export function watchFreshness(socket, connectionLines) {
  lines = connectionLines;
  socket.on("connect", check);
  socket.on("disconnect", () => {
    rest();
    if (freshness.get().syncedAt) unprovenSince ??= performance.now();
  });
}

/** Take the server's answer, which follows every patch that was sent before it. */
function receive({ nonce: answered, version, now }) {
  if (answered !== nonce) return;
  roundTrip = performance.now() - askedAt;
  heard(now, roundTrip);
  rest();
  if (!areUpTo(version)) {
    const overdue = performance.now();
    behind ??= overdue + lateAfter();
    if (overdue > behind) becomeStale();
    if (overdue > behind + RENEW_MS) {
      behind = null;
      lines.renew();
    } else {
      next = window.setTimeout(check, AGAIN_MS);
    }
    return;
  }
  behind = null;
  lines.succeeded();
  freshness.set({ syncedAt: Date.now(), stale: false });
  report = { tookMs: whole(roundTrip, CHECK_MAXIMUM_MS) };
  if (unprovenSince !== null) {
    report.staleMs = whole(performance.now() - unprovenSince, STALE_MAXIMUM_MS);
    unprovenSince = null;
  }
  const pause = connection.get().status === "polling" ? POLLING_MS : WEBSOCKET_MS;
  next = window.setTimeout(check, pause);
}

function check() {
  rest();
  if (!isConnected()) return;
  nonce += 1;
  askedAt = performance.now();
  notify("feed:check", { nonce, ...report });
  report = {};
  late = window.setTimeout(becomeStale, lateAfter());
  gone = window.setTimeout(() => lines.renew(), lateAfter() + RENEW_MS);
}

function becomeStale() {
  unprovenSince ??= performance.now();
  freshness.update({ stale: true });
}

const whole = (milliseconds, most) => Math.round(Math.min(most, Math.max(0, milliseconds)));

function lateAfter() {
  if (roundTrip === null) return LATE_AT_FIRST_MS;
  return Math.min(LATE_AT_MOST_MS, Math.max(LATE_MS, 3 * roundTrip));
}

function rest() {
  for (const timer of [next, late, gone]) window.clearTimeout(timer);
}

registerFeed(CHECK_FEED, { receive });
if (typeof window !== "undefined") onWake(check);
