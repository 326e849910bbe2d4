// Typing signals: tells colleagues that this person is typing, at most every two seconds, and that
// they stopped: after four seconds without a key, on sending, clearing, leaving and hiding the tab.

import { notify } from "../connection/request.js";

const REPEAT_MS = 2000;
const IDLE_MS = 4000;

let current = null;

/** Note a key press in a conversation's message box. */
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

/** Note that the person has stopped typing. */
export function stopped() {
  if (current === null) return;
  window.clearTimeout(current.timer);
  notify("typing:stop", { conversationId: current.conversationId });
  current = null;
}
