// Long messages: folded until somebody unfolds them. Of very long ones the page has only the
// beginning, and requests the rest then.

import { request } from "../connection/request.js";
import { notice } from "../components/notices.js";
import { scroller } from "./scroll.js";

// About what fills a phone's screen.
const LONG_CHARACTERS = 1200;
const LONG_LINES = 20;

let whenChanged = () => {};
const unfolded = new Set();
const wholes = new Map();

/** Call `listener` when a message is folded or unfolded. */
export function onFold(listener) {
  whenChanged = listener;
}

/** Forget all messages, because another conversation was opened. */
export function forget() {
  unfolded.clear();
  wholes.clear();
}

/** The fields for a message's text (clinic_chat/ui/thread/state.py). */
export function folding({ id, body, body_length: length }) {
  const whole = wholes.get(id);
  const isLong = length > 0 || body.length > LONG_CHARACTERS || lines(body) > LONG_LINES;
  const open = unfolded.has(id);
  return {
    body: open && whole ? whole.body : body,
    is_long: isLong,
    folded: isLong && !open,
    lost: open && whole ? whole.lost : 0,
  };
}

/** Show a message whole, or only its beginning again. */
export async function fold(conversationId, id, seq, length) {
  if (unfolded.has(id)) {
    scroller.hold(id);
    unfolded.delete(id);
    whenChanged();
    return;
  }
  if (length > 0 && !wholes.has(id)) {
    const { body, lost, error } = await request("message:body", { conversationId, seq });
    if (error) {
      notice(error.code);
      return;
    }
    wholes.set(id, { body, lost });
  }
  scroller.hold(id);
  unfolded.add(id);
  whenChanged();
}

const lines = (body) => body.split("\n", LONG_LINES + 1).length;
