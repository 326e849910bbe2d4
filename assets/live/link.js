// The one socket of this tab, and the questions asked over it.

const ANSWER_MS = 10_000;
const OFFLINE = { error: { code: "offline" } };
const NO_ANSWER = { error: { code: "no_answer" } };

let socket = null;
const pending = new Set();
const idle = new Set();
let whenUnauthorized = () => {};

export function useSocket(next) {
  socket = next;
  // What was asked over a lost connection will not be answered over the next one.
  socket.on("disconnect", () => {
    for (const settle of [...pending]) settle(NO_ANSWER);
  });
}

/** Call `listener` when the server answers that the session is over. */
export function onUnauthorized(listener) {
  whenUnauthorized = listener;
}

// Without pings socket.io takes a connection for lost: it would keep what is emitted and send it
// over the next one, when the person was told long ago that it was not done.
export const isConnected = () =>
  Boolean(socket?.connected && !socket.io.engine._hasPingExpired());

/**
 * Ask the server something and wait for its answer.
 * @returns the answer; `{error: {code: "offline"}}` when it was not even asked, and
 *   `{error: {code: "no_answer"}}` when it was and may have been done or not
 */
export function ask(event, data) {
  return new Promise((resolve) => {
    if (!isConnected()) {
      resolve(OFFLINE);
      return;
    }
    const settle = (answer) => {
      if (!pending.delete(settle)) return;
      window.clearTimeout(timer);
      resolve(answer);
      if (answer.error?.code === "unauthorized") whenUnauthorized();
      if (pending.size === 0) for (const waiter of [...idle]) waiter();
    };
    const timer = window.setTimeout(() => settle(NO_ANSWER), ANSWER_MS);
    pending.add(settle);
    socket.emit(event, data, (answer) => settle(answer ?? NO_ANSWER));
  });
}

/** Wait until no question is open. */
export function isIdle() {
  if (pending.size === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const waiter = () => {
      idle.delete(waiter);
      resolve();
    };
    idle.add(waiter);
  });
}

/** Tell the server something that needs no acknowledgement. */
export function tell(event, data) {
  if (isConnected()) socket.emit(event, data);
}
