// The connection as staff see it: when to try again, and a small store that says how it is.

import { createStore } from "$/public/live/store.js";

const DELAYS_MS = [1000, 2000, 4000, 8000];
const JITTER = 0.2;
export const SIGN_IN = "/login";

/** Whether this is the sign-in page, which needs no connection. */
export const isSignInPage = () => window.location.pathname.startsWith(SIGN_IN);

export const connection = createStore({
  status: "connecting",
  transport: "",
  attempt: 0,
  nextTryAt: 0,
});

/** How long to wait before attempt number `attempt` (1 is the first after a loss), in ms. */
export function delayBefore(attempt, random = Math.random) {
  const delay = DELAYS_MS[Math.min(attempt, DELAYS_MS.length) - 1];
  return Math.round(delay * (1 + JITTER * random()));
}

/**
 * Impose our schedule on Reflex's socket. Reflex calls `connect()` 200 ms × n after each
 * failure; here that only arms a timer, and the timer connects.
 */
export function schedule(socket, { heldVersions }) {
  const open = socket.connect.bind(socket);
  let attempt = 0;
  let timer = null;

  const tryNow = () => {
    window.clearTimeout(timer);
    timer = null;
    if (socket.connected || isSignInPage()) return;
    connection.update({ status: attempt === 0 ? "connecting" : "reconnecting", nextTryAt: 0 });
    socket.auth = { ...socket.auth, live: heldVersions() };
    open();
  };

  socket.connect = () => {
    if (attempt === 0) {
      tryNow();
    } else if (timer === null) {
      const delay = delayBefore(attempt);
      connection.update({ status: "waiting", attempt, nextTryAt: Date.now() + delay });
      timer = window.setTimeout(tryNow, delay);
    }
    return socket;
  };

  socket.on("connect", () => {
    attempt = 0;
    connection.update({
      status: "live",
      transport: socket.io.engine.transport.name,
      attempt: 0,
      nextTryAt: 0,
    });
  });
  socket.on("connect_error", () => {
    attempt += 1;
  });
  socket.on("disconnect", () => {
    attempt = 1;
    connection.update({ status: "waiting", attempt });
  });

  const wake = () => {
    if (timer !== null) tryNow();
  };
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) wake();
  });
}
