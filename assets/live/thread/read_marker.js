// Read marker: marks the open conversation read up to the last message that a person has seen.

import { connection } from "../connection/connection.js";
import { request, isConnected } from "../connection/request.js";
import { onShown } from "../feeds/reflex_vars.js";
import * as thread from "./thread.js";

const MARK_AGAIN_MS = 2000;

const marked = new Map();
let asking = false;
// Set back to unread here: not read again before it has been left and opened anew.
let spared = "";

const someoneLooks = () => !document.hidden && document.hasFocus();

async function mark() {
  const conversationId = thread.openId();
  const seq = thread.lastShown();
  if (conversationId !== spared) spared = "";
  if (spared) return;
  if (!conversationId || !someoneLooks() || !isConnected()) return;
  if ((marked.get(conversationId) ?? 0) >= seq || asking) return;
  marked.set(conversationId, seq);
  // One after the other: scrolling through many shows them in many steps.
  asking = true;
  const answer = await request("message:read", { conversationId, seq });
  asking = false;
  if (!answer.error) {
    mark();
    return;
  }
  marked.delete(conversationId);
  window.setTimeout(mark, MARK_AGAIN_MS);
}

/** Do not mark the open conversation read, because the person sets it back to unread. */
export function keepUnread(conversationId) {
  spared = conversationId;
  marked.delete(conversationId);
}

// Meanwhile it may have been set back to unread on another device.
function lookAgain() {
  marked.delete(thread.openId());
  mark();
}

/** Mark when messages arrive, on focus and on return to the tab; returns a stop function. */
export function watchReading() {
  const stop = onShown(mark);
  const stopWaiting = connection.subscribe(mark);
  window.addEventListener("focus", lookAgain);
  document.addEventListener("visibilitychange", lookAgain);
  return () => {
    stop();
    stopWaiting();
    window.removeEventListener("focus", lookAgain);
    document.removeEventListener("visibilitychange", lookAgain);
  };
}
