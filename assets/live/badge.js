// What the connection badge shows, put together from what is known and counted by the second.

import { connection } from "$/public/live/connection.js";
import { freshness } from "$/public/live/freshness.js";
import { queued } from "$/public/live/outbox.js";
import { createStore } from "$/public/live/store.js";

const SECOND = 1000;

/**
 * `status` is that of the connection, or stale when a proof of freshness is overdue; `seconds`
 * until the next attempt, `synced` since the last proof (-1 before the first), `queued` messages.
 */
export const badge = createStore({ status: "connecting", seconds: 0, synced: -1, queued: 0 });

function refresh() {
  const { status, nextTryAt } = connection.get();
  const { syncedAt, stale } = freshness.get();
  const next = {
    status: stale && (status === "live" || status === "polling") ? "stale" : status,
    seconds: Math.max(0, Math.ceil((nextTryAt - Date.now()) / SECOND)),
    synced: syncedAt ? Math.max(0, Math.floor((Date.now() - syncedAt) / SECOND)) : -1,
    queued: queued.get(),
  };
  const now = badge.get();
  if (Object.keys(next).some((name) => next[name] !== now[name])) badge.set(next);
}

for (const source of [connection, freshness, queued]) source.subscribe(refresh);
if (typeof window !== "undefined") window.setInterval(refresh, SECOND);
