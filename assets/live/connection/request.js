// Requests over the one socket of this tab. Each names the tab's author, and none is sent before
// the server has confirmed that author over the same connection.

import { identity } from "./identity.js";
import { tellAll } from "../lib/safely.js";

const ANSWER_MS = 10_000;
const OFFLINE = { error: { code: "offline" } };
const NO_ANSWER = { error: { code: "no_answer" } };

let socket = null;
let identified = false;
const pending = new Set();
const idle = new Set();
let refusals = {};

export function useSocket(next) {
  socket = next;
  identified = false;
  // What was asked over a lost connection will not be answered over the next one.
  socket.on("disconnect", () => {
    identified = false;
    tellAll(pending, NO_ANSWER);
  });
}

/** Note that the server has confirmed this tab's author over this connection. */
export function confirmIdentity() {
  identified = true;
}

/** Call a listener, found by the refusal's code, whenever the server answers with one. */
export function onRefusal(listeners) {
  refusals = listeners;
}

// Without pings socket.io takes a connection for lost: it would keep what is emitted and send it
// over the next one, when the person was told long ago that it was not done.
export const isConnected = () =>
  Boolean(identified && socket?.connected && !socket.io.engine._hasPingExpired());

/**
 * Send a request and wait for the answer.
 * @returns the answer; `{error: {code: "offline"}}` if it was not sent, and
 *   `{error: {code: "no_answer"}}` if it was sent and may have been carried out or not
 */
export function request(event, data) {
  return new Promise((resolve) => {
    if (!isConnected()) {
      resolve(OFFLINE);
      return;
    }
    const settle = (answer) => {
      if (!pending.delete(settle)) return;
      window.clearTimeout(timer);
      resolve(answer);
      refusals[answer.error?.code]?.();
      if (pending.size === 0) tellAll(idle);
    };
    const timer = window.setTimeout(() => settle(NO_ANSWER), ANSWER_MS);
    pending.add(settle);
    socket.emit(event, signed(data), (answer) => settle(answer ?? NO_ANSWER));
  });
}

/** Wait until no request is pending. */
export function whenIdle() {
  if (pending.size === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const waiter = () => {
      idle.delete(waiter);
      resolve();
    };
    idle.add(waiter);
  });
}

/** Send a message that needs no acknowledgement. */
export function notify(event, data) {
  if (isConnected()) socket.emit(event, signed(data));
}

const signed = (data) => ({ author: identity.get().author, ...data });
