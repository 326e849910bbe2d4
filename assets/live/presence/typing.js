// Tells colleagues that this person is typing: at most every two seconds, and that they
// stopped after four seconds without a key, on sending, clearing, leaving and looking away.

import { notify } from "../connection/request.js";

const REPEAT_MS = 2000;
const IDLE_MS = 4000;

let current = null;

/** A key was pressed in a conversation's message box. */
export function typed(conversationId) {
  if (current?.conversationId !== conversationId) {
    stopped();
    current = { conversationId, toldAt: -Infinity, timer: null };
  }
  window.clearTimeout(current.timer);
  current.timer = window.setTimeout(stopped, IDLE_MS);
  if (performance.now() - current.toldAt < REPEAT_MS) return;
  current.toldAt = performance.now();
  notify("typing:start", { conversationId });
}

/** The person does not type any more. */
export function stopped() {
  if (current === null) return;
  window.clearTimeout(current.timer);
  notify("typing:stop", { conversationId: current.conversationId });
  current = null;
}
