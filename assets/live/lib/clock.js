// Server clock: messages have the server's times, and a device's own clock may be hours or a day
// wrong.

import { createStore } from "./store.js";

// What an answer takes on its way is no difference between clocks.
const TOLERANCE_MS = 2000;

/** The milliseconds by which the server's clock is ahead of this device's. */
export const offset = createStore(0);

/** Take the server's time `now` (ms since 1970); `roundTrip` is the duration of asking, in ms. */
export function heard(now, roundTrip = 0) {
  if (!Number.isFinite(now)) return;
  const ahead = now + roundTrip / 2 - Date.now();
  if (Math.abs(ahead - offset.get()) > TOLERANCE_MS) offset.set(ahead);
}

/** The time now by the server's clock, in milliseconds since 1970. */
export const serverNow = () => Date.now() + offset.get();
