// Connection schedule: when to try again, and by which transport.
//
// Attempts come after 1, 2, 4, 8, 8 … seconds with up to 20 % more at random, so that a
// restarted server does not get all of them at the same moment; at once when the browser reports
// that it is online, when the tab is shown and after sleep. Websocket first; after two failed
// attempts in turn with HTTP long-polling. Success is not a handshake but a proof that the lists
// are current (app/freshness.js): in a network that opens a socket but holds its frames back, the
// same transport must not be tried for ever.

import { safely, tellAll } from "../lib/safely.js";
import { session } from "../lib/storage.js";
import { createStore } from "../lib/store.js";

export const SIGN_IN = "/login";
const SIGNED_OUT = [SIGN_IN, "/join", "/setup"];
const DELAYS_MS = [1000, 2000, 4000, 8000];
const JITTER = 0.2;
const FAILURES_BEFORE_POLLING = 2;
// The transport that worked last in this tab is tried first, so that a page behind a proxy
// without websockets does not begin with two failures.
const TRANSPORT = "clinic-chat:transport";
const TICK_MS = 5000;
const SLEPT_MS = 12_000;
const RELOAD_MS = 5000;

const inBrowser = typeof window !== "undefined";

/** Whether this is a page for people who are not signed in, which needs no connection. */
export const isSignedOutPage = () =>
  SIGNED_OUT.some((path) => window.location.pathname.startsWith(path));

/**
 * `status` is connecting (for the first time), live, polling, waiting (lost, and tried again
 * at `nextTryAt`, or right now when that is 0) or offline; `restarting` is whether the server
 * announced a restart.
 */
export const connection = createStore({
  status: "connecting",
  attempt: 0,
  nextTryAt: 0,
  restarting: false,
});

const wakers = new Set();
let tryNow = () => {};
let asking = false;
let leaving = false;

/** Try at once instead of waiting for the next attempt. */
export const retryNow = () => tryNow();

/** Call `listener` after sleep, a hidden tab or a network change, when updates may be missing. */
export const onWake = (listener) => wakers.add(listener);

/** Whether the page is being left by the program, which needs no warning. */
export const isLeaving = () => leaving;

/** Note that the program leaves the page; returns a function for when it stays after all. */
export function leave() {
  leaving = true;
  return () => (leaving = false);
}

/** Hide the page until it is loaded again. */
export function hidePage() {
  document.documentElement.style.display = "none";
}

/** The delay before attempt number `attempt` (1 is the first after a loss), in ms. */
export function delayBefore(attempt, random = Math.random) {
  const delay = DELAYS_MS[Math.min(attempt, DELAYS_MS.length) - 1];
  return Math.round(delay * (1 + JITTER * random()));
}

/** The transport for an attempt, given the number of failures in a row and the last that worked. */
export function transportFor(failures, preferred) {
  if (failures < FAILURES_BEFORE_POLLING) return preferred;
  return failures % 2 === FAILURES_BEFORE_POLLING % 2 ? "polling" : "websocket";
}

function preferredTransport() {
  return session.getItem(TRANSPORT) === "polling" ? "polling" : "websocket";
}

/**
 * Take over the schedule of Reflex's socket. Reflex calls `reconnect()` 200 ms × n after each
 * failure and not at all after some; here a timer of ours decides, and nothing else connects.
 * @param {() => object} tellAtConnect the data about this tab that goes with each connect
 */
export function schedule(socket, { tellAtConnect }) {
  const manager = socket.io;
  const open = socket.connect.bind(socket);
  const close = socket.disconnect.bind(socket);
  const openTransport = manager.open.bind(manager);
  let step = 0;
  let failures = 0;
  let proven = false;
  let timer = null;
  let begun = false;
  let closing = false;
  let stopped = false;

  const attempt = () => {
    window.clearTimeout(timer);
    timer = null;
    if (stopped || socket.connected || isSignedOutPage()) return;
    connection.update({ status: begun ? lost() : "connecting", nextTryAt: 0 });
    connect();
  };

  const connect = () => {
    if (begun) {
      // Reflex's own way to connect again, which renews what goes along with it.
      socket.wait_connect = false;
      socket.reconnect();
    }
    begun = true;
    socket.auth = { ...socket.auth, live: tellAtConnect() };
    open();
  };

  // Closes a connection, or gives an attempt up, without counting that as a failure.
  const drop = () => {
    window.clearTimeout(timer);
    timer = null;
    closing = true;
    close();
    closing = false;
  };

  const plan = () => {
    if (closing || stopped || timer !== null) return;
    if (!proven) failures += 1;
    proven = false;
    step += 1;
    const delay = delayBefore(step);
    connection.update({ status: lost(), attempt: step, nextTryAt: Date.now() + delay });
    timer = window.setTimeout(attempt, delay);
  };

  const begin = () => {
    step = 0;
    failures = 0;
    proven = false;
  };

  // Also called by Reflex, to warm the transport up while the page is not ready; it keeps what
  // it warmed up only when it finds the transport there that it had named.
  manager.open = (done) => {
    if (isSignedOutPage()) return manager;
    const { transports } = manager.opts;
    manager.opts.transports = [transportFor(failures, preferredTransport())];
    openTransport(done);
    manager.opts.transports = transports;
    return manager;
  };

  // Reflex calls these two. Its retries come to nothing here; and it disconnects when the
  // page may be left, also when the person then decides to stay.
  socket.connect = () => {
    if (!begun) attempt();
    return socket;
  };
  socket.disconnect = () => {
    if (!asking) drop();
    return socket;
  };

  socket.on("connect", () => {
    const transport = manager.engine.transport.name;
    remember(transport);
    connection.set({
      status: transport === "websocket" ? "live" : "polling",
      attempt: 0,
      nextTryAt: 0,
      restarting: false,
    });
  });
  socket.on("connect_error", plan);
  socket.on("disconnect", plan);
  socket.on("server:restarting", () => connection.update({ restarting: true }));
  socket.on("state_mismatch", () => {
    // Reflex reloads for a new build, but only once in a while.
    window.setTimeout(leave(), RELOAD_MS);
  });

  tryNow = () => {
    // After sleep a socket still looks open that its peer has given up long ago.
    const alive = socket.connected && !manager.engine._hasPingExpired();
    if (stopped || !begun || alive) return;
    drop();
    begin();
    attempt();
  };
  return {
    /** Note that the lists are proven current over this connection. */
    succeeded() {
      begin();
      proven = true;
    },
    /** Connect again by websocket; the badge does not show it unless it fails. */
    switchToWebsocket() {
      remember("websocket");
      drop();
      begin();
      connect();
    },
    /** Close a connection that looks alive but is not, and connect anew. */
    renew() {
      drop();
      plan();
    },
    stop() {
      stopped = true;
      window.clearTimeout(timer);
    },
  };
}

// Where the browser cannot tell, it is not said that the device is offline.
const lost = () => (safely(() => navigator.onLine) === false ? "offline" : "waiting");

// Without storage every page begins with a websocket.
const remember = (transport) => session.setItem(TRANSPORT, transport);

function wake() {
  safely(tryNow);
  tellAll(wakers);
}

if (inBrowser) {
  window.addEventListener("online", wake);
  window.addEventListener("offline", () => {
    if (connection.get().status === "waiting") connection.update({ status: "offline" });
    tellAll(wakers);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) wake();
  });
  // A page that comes back from the browser's back-forward cache shows what it showed, whoever is
  // signed in by now. It is kept empty, and loaded again.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) window.location.reload();
  });
  window.addEventListener("beforeunload", () => {
    asking = true;
    // Over when every listener has heard of it, which is after the person's decision to stay.
    window.setTimeout(() => (asking = false));
  });
  window.addEventListener("pagehide", ({ persisted }) => {
    asking = false;
    if (persisted) hidePage();
  });
  // A tick that comes far too late means that the machine slept.
  let last = Date.now();
  window.setInterval(() => {
    const slept = Date.now() - last > SLEPT_MS;
    last = Date.now();
    if (slept) wake();
  }, TICK_MS);
}
