// Socket: replaces socket.io-client for Reflex, with the page's own origin, our reconnect schedule,
// and the feeds' events beside Reflex's own. Imported by clinic_chat/ui/build/reflex_modules.py.

import io from "socket.io-client";

import { FEED_EVENT, IDENTITY_EVENT, SESSION_ENDED_EVENT } from "$/utils/constants.js";
import { account } from "../account/account.js";
import { heard } from "../lib/clock.js";
import {
  SIGN_IN,
  connection,
  hidePage,
  isLeaving,
  isSignedOutPage,
  leave,
  schedule,
} from "../connection/connection.js";
import * as filters from "../navigation/filters.js";
import { identity, recognise } from "../connection/identity.js";
import * as freshness from "./freshness.js";
import { confirmIdentity, onRefusal, request, useSocket } from "../connection/request.js";
import * as outbox from "../outbox/outbox.js";
import * as people from "../presence/presence.js";
import "./personal.js";
import { notice } from "../components/notices.js";
import { watchForWebsocket } from "../connection/websocket_probe.js";
import { safely } from "../lib/safely.js";
import { follow, followBy, tellAtConnect } from "../feeds/following.js";
import { receiveFeed } from "../feeds/registry.js";
import { deliverWith, overlayOwned } from "../feeds/reflex_vars.js";
import { local, session } from "../lib/storage.js";
import * as thread from "../thread/thread.js";

const CONNECT_TIMEOUT_MS = 6000;
// A long poll ends with the server's next ping at the latest. Requests that a dead network
// swallowed would else keep the few connections that a browser has for a host.
const POLL_TIMEOUT_MS = 20_000;
// By the server's codes, whether it refuses a connect or a command.
const REFUSALS = { unauthorized: signIn, wrong_author: startOver };
// Whose session this browser has, for the tabs that were somebody else's.
const AUTHOR = "clinic-chat:author";
const STARTED_OVER = "clinic-chat:started-over";

let lines = null;
let stopProbing = () => {};

/** The function that Reflex calls instead of `io(url, options)`. */
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
  lines = schedule(socket, { tellAtConnect: tellOfTab });
  stopProbing = watchForWebsocket(lines.switchToWebsocket);
  useSocket(socket);
  followBy(request);
  intercept(socket);
  freshness.watchFreshness(socket, lines);
  const on = (name, take) => socket.on(name, (message) => safely(take, message));
  // It comes before anything else, and before the socket counts as connected.
  on(IDENTITY_EVENT, identify);
  on(FEED_EVENT, receiveFeed);
  for (const [name, take] of Object.entries(people.events)) on(name, take);
  on("connect", outbox.pump);
  on(SESSION_ENDED_EVENT, signIn);
  onRefusal(REFUSALS);
  on("connect_error", ({ message }) => REFUSALS[message]?.());
  return socket;
}

function identify(told) {
  heard(told.now);
  if (!recognise(told)) {
    startOver();
    return;
  }
  confirmIdentity();
  // Another conversation may have been opened since the connection was asked for.
  follow();
  local.setItem(AUTHOR, told.author);
  if (session.getItem(STARTED_OVER) === null) return;
  session.removeItem(STARTED_OVER);
  notice("started_over");
}

/** Give Reflex's listener for state updates the feeds' values of owned vars. */
function intercept(socket) {
  const on = socket.on.bind(socket);
  socket.on = (event, listener) => {
    if (event !== "event") return on(event, listener);
    deliverWith(listener);
    return on(event, (update) => listener(overlayOwned(update)));
  };
}

/** The tab's author, and the feeds that it follows with the versions it has. */
function tellOfTab() {
  const { author } = identity.get();
  return { ...(author ? { author } : {}), ...tellAtConnect() };
}

// What waits in the outbox and the drafts stay for the same person's next session.
function signIn() {
  if (isSignedOutPage() || isLeaving()) return;
  lines.stop();
  leave();
  connection.update({ status: "connecting" });
  const query = new URLSearchParams();
  if (account.get().userId) query.set("error", "ended");
  query.set("next", window.location.pathname + window.location.search);
  hidePage();
  window.location.replace(`${SIGN_IN}?${query}`);
}

// Somebody else signed in here, or this person in another clinic: this tab begins again as theirs,
// and nothing of what it was shows. What waits in it is sealed and stays for its author.
function startOver() {
  if (isSignedOutPage() || isLeaving()) return;
  lines.stop();
  leave();
  connection.update({ status: "connecting" });
  session.setItem(STARTED_OVER, "yes");
  window.location.replace("/");
}

// A tab without a connection would go on showing what it has to whoever sits here now.
if (typeof window !== "undefined") {
  window.addEventListener("storage", ({ key, newValue }) => {
    const { author } = identity.get();
    if (key === AUTHOR && author && newValue && newValue !== author) startOver();
  });
}
