// Whether what is on the screen is current, proven end to end: a question that the server
// answers through the same path as every patch, with the version the list should have by then.
// An open socket and answered pings prove nothing (chatwoot #14703).

import { connection, onWake } from "$/public/live/connection.js";
import * as inbox from "$/public/live/inbox.js";
import { isConnected, isIdle, tell } from "$/public/live/link.js";
import { createStore } from "$/public/live/store.js";
import * as thread from "$/public/live/thread.js";

// While polling, a list is never staler than this; on a websocket it only guards.
const POLLING_MS = 5000;
const WEBSOCKET_MS = 10_000;
const ANSWER_MS = 4000;
const PROBE_MS = 30_000;
const PROBE_TIMEOUT_MS = 5000;

/** When the screen was last proven current, and whether a proof is overdue. */
export const freshness = createStore({ syncedAt: 0, stale: false });

let nonce = 0;
let deadline = null;
let timer = null;
let lines = null;

/** Begin checking over this socket; `connectionLines` can renew it. */
export function watchFreshness(socket, connectionLines) {
  lines = connectionLines;
  socket.on("connect", () => {
    window.clearTimeout(deadline);
    plan(0);
  });
  socket.on("disconnect", () => {
    window.clearTimeout(timer);
    window.clearTimeout(deadline);
  });
}

/** The server's answer, which came behind every patch that it had sent before. */
export function receive({ nonce: answered, version }) {
  if (answered !== nonce) return;
  window.clearTimeout(deadline);
  const { feed } = inbox;
  if (feed.ready && feed.version < version) feed.repair();
  const row = thread.feed.ready && inbox.item(thread.feed.key);
  if (row && row.version > thread.feed.version) thread.feed.repair();
  freshness.set({ syncedAt: Date.now(), stale: false });
  plan(connection.get().status === "polling" ? POLLING_MS : WEBSOCKET_MS);
}

function check() {
  window.clearTimeout(timer);
  if (!isConnected()) return;
  nonce += 1;
  tell("feed:check", { nonce });
  window.clearTimeout(deadline);
  deadline = window.setTimeout(() => {
    freshness.update({ stale: true });
    lines.renew();
  }, ANSWER_MS);
}

function plan(delay) {
  window.clearTimeout(timer);
  timer = window.setTimeout(check, delay);
}

// While polling, see now and then whether websockets work again.
async function probe() {
  if (connection.get().status !== "polling") return;
  const url = new URL("/_event/?EIO=4&transport=websocket", window.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const works = await new Promise((resolve) => {
    const socket = new WebSocket(url);
    const done = (answer) => {
      resolve(answer);
      socket.close();
    };
    window.setTimeout(() => done(false), PROBE_TIMEOUT_MS);
    socket.onmessage = () => done(true);
    socket.onerror = () => done(false);
  });
  if (!works || connection.get().status !== "polling") return;
  await isIdle();
  lines.switchToWebsocket();
}

if (typeof window !== "undefined") {
  onWake(check);
  window.setInterval(probe, PROBE_MS);
}
