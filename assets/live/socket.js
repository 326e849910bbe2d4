// Stands between Reflex and socket.io-client: same origin, our reconnect schedule, and the
// feeds' events beside Reflex's own. Brought in by clinic_chat/ui/plugin.py.

import io from "socket.io-client";

import { account } from "$/public/live/account.js";
import {
  SIGN_IN,
  connection,
  isLeaving,
  isSignInPage,
  leave,
  schedule,
} from "$/public/live/connection.js";
import * as counts from "$/public/live/counts.js";
import * as filters from "$/public/live/filters.js";
import * as freshness from "$/public/live/freshness.js";
import * as inbox from "$/public/live/inbox.js";
import { onUnauthorized, useSocket } from "$/public/live/link.js";
import * as outbox from "$/public/live/outbox.js";
import * as people from "$/public/live/people.js";
import * as personal from "$/public/live/personal.js";
import { watchForWebsocket } from "$/public/live/probe.js";
import { deliverWith, keepOwned } from "$/public/live/screen.js";
import * as thread from "$/public/live/thread.js";

const CONNECT_TIMEOUT_MS = 6000;
// A long poll ends with the server's next ping at the latest. Requests that a dead network
// swallowed would else keep the few connections that a browser has for a host.
const POLL_TIMEOUT_MS = 20_000;
const FEEDS = {
  [inbox.feed.name]: inbox.receive,
  [thread.feed.name]: thread.receive,
  [personal.FEED]: personal.receive,
  check: freshness.receive,
};

let lines = null;
let stopProbing = () => {};

/** What Reflex calls instead of `io(url, options)`. */
export default function connect(url, options) {
  // The server's first answer may come before the page is mounted and says what is open.
  filters.readAddress(window.location.search);
  thread.openAddress(window.location.pathname, window.location.search);
  // Reflex bakes the port of the build into its URL; the page's own origin is always right.
  const { pathname } = new URL(url);
  const socket = io(window.location.origin + pathname, {
    ...options,
    path: pathname,
    timeout: CONNECT_TIMEOUT_MS,
    requestTimeout: POLL_TIMEOUT_MS,
    autoConnect: false,
  });
  lines?.stop();
  stopProbing();
  lines = schedule(socket, { heldVersions });
  stopProbing = watchForWebsocket(lines.switchToWebsocket);
  useSocket(socket);
  intercept(socket);
  freshness.watchFreshness(socket, lines);
  socket.on("feed", (message) => FEEDS[message.feed]?.(message));
  for (const [name, take] of Object.entries(people.events)) socket.on(name, take);
  socket.on("connect", outbox.pump);
  socket.on("session:ended", signIn);
  onUnauthorized(signIn);
  socket.on("connect_error", (error) => {
    if (error.message === "unauthorized") signIn();
  });
  return socket;
}

/** Let Reflex's listener for state updates see owned vars as the feeds have them. */
function intercept(socket) {
  const on = socket.on.bind(socket);
  socket.on = (event, listener) => {
    if (event !== "event") return on(event, listener);
    deliverWith(listener);
    return on(event, (update) => listener(keepOwned(update)));
  };
}

/** What this tab holds, so that the server sends only what it lacks. */
function heldVersions() {
  const held = {};
  for (const feed of [inbox.feed, thread.feed]) {
    if (feed.ready) held[feed.name] = { key: feed.key, version: feed.version };
  }
  if (inbox.feed.ready) held[personal.FEED] = { key: personal.KEY, version: counts.personal() };
  return held;
}

// What waits in the outbox and the drafts stay for the same person's next session.
function signIn() {
  if (isSignInPage() || isLeaving()) return;
  lines.stop();
  leave();
  connection.update({ status: "connecting" });
  const query = new URLSearchParams();
  if (account.get().userId) query.set("error", "ended");
  query.set("next", window.location.pathname + window.location.search);
  window.location.assign(`${SIGN_IN}?${query}`);
}
