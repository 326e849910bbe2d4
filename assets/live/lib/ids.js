// Ids: unique ids made in this browser.

import { local } from "./storage.js";

const DEVICE = "clinic-chat:device";

/** An id that nobody else has: 32 hexadecimal digits. */
// crypto.randomUUID needs HTTPS, and a clinic's first try is often plain HTTP on a LAN.
export function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

let device = "";

/** The id of this browser: the same in all of its tabs, and after a reload. */
export function deviceId() {
  if (!device) {
    device = local.getItem(DEVICE) || uniqueId();
    local.setItem(DEVICE, device);
  }
  return device;
}
