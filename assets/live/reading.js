// Marks the open conversation read, but only while a person can see it.

import { connection } from "$/public/live/connection.js";
import { ask, isConnected } from "$/public/live/link.js";
import { onShown } from "$/public/live/screen.js";
import * as thread from "$/public/live/thread.js";

const MARK_AGAIN_MS = 2000;

const marked = new Map();

const someoneLooks = () => !document.hidden && document.hasFocus();

async function mark() {
  const conversationId = thread.openId();
  const seq = thread.lastSeq();
  if (!conversationId || !someoneLooks() || !isConnected()) return;
  if ((marked.get(conversationId) ?? 0) >= seq) return;
  marked.set(conversationId, seq);
  const answer = await ask("message:read", { conversationId, seq });
  if (!answer.error) return;
  marked.delete(conversationId);
  window.setTimeout(mark, MARK_AGAIN_MS);
}

/** Let a conversation be marked again, after it was set back to unread. */
export const forget = (conversationId) => marked.delete(conversationId);

/** Mark on arrival of messages, on focus and on return to the tab; returns a stop function. */
export function watchReading() {
  const stop = onShown(mark);
  const stopWaiting = connection.subscribe(mark);
  window.addEventListener("focus", mark);
  document.addEventListener("visibilitychange", mark);
  return () => {
    stop();
    stopWaiting();
    window.removeEventListener("focus", mark);
    document.removeEventListener("visibilitychange", mark);
  };
}
