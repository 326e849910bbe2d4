// The one socket of this tab, and the questions asked over it.

const ANSWER_MS = 10_000;

let socket = null;

export function useSocket(next) {
  socket = next;
}

export const isConnected = () => socket?.connected ?? false;

/**
 * Ask the server something and wait for its answer.
 * @returns the answer, or `{error: {code: "no_answer"}}` when none came in time
 */
export function ask(event, data) {
  return new Promise((resolve) => {
    if (!isConnected()) {
      resolve({ error: { code: "no_answer" } });
      return;
    }
    socket.timeout(ANSWER_MS).emit(event, data, (failure, answer) => {
      resolve(failure || !answer ? { error: { code: "no_answer" } } : answer);
    });
  });
}

/** Tell the server something that nobody waits for and that is worth nothing later. */
export function tell(event, data) {
  if (isConnected()) socket.volatile.emit(event, data);
}
