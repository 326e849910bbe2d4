// The one socket of this tab, and the questions asked over it.

const ANSWER_MS = 10_000;
const NO_ANSWER = { error: { code: "no_answer" } };

let socket = null;
const pending = new Set();
const idle = new Set();

export function useSocket(next) {
  socket = next;
  // What was asked over a lost connection will not be answered over the next one.
  socket.on("disconnect", () => {
    for (const settle of [...pending]) settle(NO_ANSWER);
  });
}

export const isConnected = () => socket?.connected ?? false;

/**
 * Ask the server something and wait for its answer.
 * @returns the answer, or `{error: {code: "no_answer"}}` when none came in time
 */
export function ask(event, data) {
  return new Promise((resolve) => {
    if (!isConnected()) {
      resolve(NO_ANSWER);
      return;
    }
    const settle = (answer) => {
      if (!pending.delete(settle)) return;
      window.clearTimeout(timer);
      resolve(answer);
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

/** Tell the server something that nobody waits for and that is worth nothing later. */
export function tell(event, data) {
  if (isConnected()) socket.volatile.emit(event, data);
}
