// The server's clock. The times of messages are the server's, and a device's own clock may be
// hours or a day wrong.

import { createStore } from "./store.js";

// What an answer takes on its way is no difference between clocks.
const TOLERANCE_MS = 2000;

/** By how many milliseconds the server's clock is ahead of this device's. */
export const offset = createStore(0);

/** The server said that it is `now` (ms since 1970); `roundTrip` is how long asking took, in ms. */
export function heard(now, roundTrip = 0) {
  if (!Number.isFinite(now)) return;
  const ahead = now + roundTrip / 2 - Date.now();
  if (Math.abs(ahead - offset.get()) > TOLERANCE_MS) offset.set(ahead);
}

/** The time now by the server's clock, in milliseconds since 1970. */
export const serverNow = () => Date.now() + offset.get();
