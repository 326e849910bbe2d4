// What the connection badge shows, put together from what is known and counted by the second.

import { connection } from "$/public/live/connection.js";
import { freshness } from "$/public/live/freshness.js";
import { queued } from "$/public/live/outbox.js";
import { createStore } from "$/public/live/store.js";

const SECOND = 1000;

/**
 * `status` is that of the connection, or stale when a proof of freshness is overdue; `seconds`
 * until the next attempt (0 during one), `synced` since the last proof (-1 before the first),
 * `queued` messages; `restarting` when the server said so before it went.
 */
export const badge = createStore({
  status: "connecting",
  restarting: false,
  seconds: 0,
  synced: -1,
  queued: 0,
});

let timer = null;

function refresh() {
  const { status, nextTryAt, restarting } = connection.get();
  const { syncedAt, stale } = freshness.get();
  const next = {
    status: stale && (status === "live" || status === "polling") ? "stale" : status,
    restarting,
    seconds: Math.max(0, Math.ceil((nextTryAt - Date.now()) / SECOND)),
    synced: syncedAt ? Math.max(0, Math.floor((Date.now() - syncedAt) / SECOND)) : -1,
    queued: queued.get(),
  };
  const now = badge.get();
  if (Object.keys(next).some((name) => next[name] !== now[name])) badge.set(next);
  // In step with what is counted, so that each number stays for a second.
  const since = nextTryAt ? nextTryAt - Date.now() : SECOND - ((Date.now() - syncedAt) % SECOND);
  window.clearTimeout(timer);
  timer = window.setTimeout(refresh, since > 0 ? since % SECOND || SECOND : SECOND);
}

for (const source of [connection, freshness, queued]) source.subscribe(refresh);
if (typeof window !== "undefined") refresh();
