// The connection as staff see it: when to try again and by which transport.
//
// Attempts come after 1, 2, 4, 8, 8 … seconds with up to 20 % more at random, so that a
// restarted server does not meet everybody in the same instant; at once when the browser says
// that it is online, when the tab is shown and after sleep. Websocket first; after two failures
// in turn with HTTP long-polling.

import { createStore } from "$/public/live/store.js";

export const SIGN_IN = "/login";
const DELAYS_MS = [1000, 2000, 4000, 8000];
const JITTER = 0.2;
const FAILURES_BEFORE_POLLING = 2;
// The transport that worked last in this browser is tried first, so that a page behind a proxy
// without websockets does not begin with two failures.
const TRANSPORT = "clinic-chat:transport";
const TICK_MS = 5000;
const SLEPT_MS = 12_000;

const inBrowser = typeof window !== "undefined";

/** Whether this is the sign-in page, which needs no connection. */
export const isSignInPage = () => window.location.pathname.startsWith(SIGN_IN);

/** `status` is connecting, live, polling, waiting (for the next attempt) or offline. */
export const connection = createStore({ status: "connecting", attempt: 0, nextTryAt: 0 });

const wakers = new Set();
let tryNow = () => {};
let reloading = false;

/** Try at once instead of waiting for the next attempt. */
export const retryNow = () => tryNow();

/** Call `listener` when the browser may have missed something: sleep, a hidden tab, a network. */
export const onWake = (listener) => wakers.add(listener);

/** Whether the page is about to load itself again on its own account. */
export const isReloading = () => reloading;

/** How long to wait before attempt number `attempt` (1 is the first after a loss), in ms. */
export function delayBefore(attempt, random = Math.random) {
  const delay = DELAYS_MS[Math.min(attempt, DELAYS_MS.length) - 1];
  return Math.round(delay * (1 + JITTER * random()));
}

/** The transport for an attempt, given how many failed in a row and which worked last. */
export function transportFor(failures, preferred) {
  if (failures < FAILURES_BEFORE_POLLING) return preferred;
  return failures % 2 === FAILURES_BEFORE_POLLING % 2 ? "polling" : "websocket";
}

export function preferredTransport() {
  try {
    return window.sessionStorage.getItem(TRANSPORT) === "polling" ? "polling" : "websocket";
  } catch {
    return "websocket";
  }
}

/**
 * Take the schedule of Reflex's socket over. Reflex calls `reconnect()` 200 ms × n after each
 * failure and not at all after some; here a timer of ours decides, and nothing else connects.
 * @param {() => object} heldVersions what this tab has, for the server to send only the rest
 */
export function schedule(socket, { heldVersions }) {
  const open = socket.connect.bind(socket);
  let failures = 0;
  let timer = null;
  let begun = false;
  let closed = false;

  const connect = () => {
    window.clearTimeout(timer);
    timer = null;
    if (socket.connected || closed || isSignInPage()) return;
    connection.update({ status: "connecting", nextTryAt: 0 });
    socket.io.opts.transports = [transportFor(failures, preferredTransport())];
    if (begun) {
      // Reflex's own way to connect again, which renews what goes along with it.
      socket.wait_connect = false;
      socket.reconnect();
    }
    begun = true;
    socket.auth = { ...socket.auth, live: heldVersions() };
    open();
  };

  const wait = () => {
    if (timer !== null || closed) return;
    const delay = delayBefore(Math.max(1, failures));
    connection.update({
      status: navigator.onLine ? "waiting" : "offline",
      attempt: failures,
      nextTryAt: Date.now() + delay,
    });
    timer = window.setTimeout(connect, delay);
  };

  socket.connect = () => {
    if (!begun) connect();
    return socket;
  };

  socket.on("connect", () => {
    failures = 0;
    const transport = socket.io.engine.transport.name;
    remember(transport);
    connection.update({
      status: transport === "websocket" ? "live" : "polling",
      attempt: 0,
      nextTryAt: 0,
    });
  });
  socket.on("connect_error", () => {
    failures += 1;
    wait();
  });
  socket.on("disconnect", () => {
    failures = Math.max(failures, 1);
    wait();
  });
  socket.on("state_mismatch", () => {
    reloading = true;
  });

  tryNow = () => {
    if (!socket.connected && begun) connect();
  };
  return {
    /** Connect again by websocket without a visible interruption. */
    switchToWebsocket() {
      remember("websocket");
      failures = 0;
      socket.io.engine?.close();
      window.clearTimeout(timer);
      timer = null;
      connect();
    },
    /** Cut a connection that looks alive and is not, and connect anew. */
    renew() {
      socket.io.engine?.close();
    },
    stop() {
      closed = true;
      window.clearTimeout(timer);
    },
  };
}

function remember(transport) {
  try {
    window.sessionStorage.setItem(TRANSPORT, transport);
  } catch {
    // Without storage every page begins with a websocket.
  }
}

function wake() {
  for (const waker of wakers) waker();
  tryNow();
}

if (inBrowser) {
  window.addEventListener("online", wake);
  window.addEventListener("offline", () => {
    if (connection.get().status === "waiting") connection.update({ status: "offline" });
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) wake();
  });
  // A tick that comes far too late means that the machine slept.
  let last = Date.now();
  window.setInterval(() => {
    const slept = Date.now() - last > SLEPT_MS;
    last = Date.now();
    if (slept) wake();
  }, TICK_MS);
}
