// Sealed storage: encrypted data that waits in this browser for the server. Only its author can
// read it: the server gives the key to nobody else's session (docs/security.md), and the author is
// in the item's name. Items expire after a week.

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";

import { serverNow } from "../lib/clock.js";
import { identity } from "../connection/identity.js";
import { local } from "../lib/storage.js";

export const KEPT_MS = 7 * 24 * 60 * 60_000;
const NAMES = /^clinic-chat:(outbox|drafts?):/;
const NONCE_BYTES = 24;

// By name: the text that was read last and what it says. Opening it again and again takes time.
const opened = new Map();

/**
 * Store a value; returns false if it does not outlast the page, or no key is known yet.
 * @param {object} storage `session` for data of this tab alone
 */
export function keep(name, value, storage = local) {
  const { key } = identity.get();
  if (!key) return false;
  const text = JSON.stringify({ at: serverNow(), sealed: seal(key, name, value) });
  if (!storage.keepItem(name, text)) return false;
  opened.set(name, { text, value });
  return true;
}

/** The value under a name, undefined if there is none or this key does not open it. */
export function read(name, storage = local) {
  const text = storage.getItem(name);
  if (text === null) {
    opened.delete(name);
    return undefined;
  }
  if (opened.get(name)?.text !== text) opened.set(name, { text, value: valueOf(name, text) });
  return opened.get(name).value;
}

/** Whether the value under a name is encrypted; earlier versions stored plain text. */
export function isSealed(name) {
  try {
    return typeof JSON.parse(local.getItem(name)).sealed === "string";
  } catch {
    return false;
  }
}

export function forget(name, storage = local) {
  opened.delete(name);
  storage.removeItem(name);
}

/** The names that begin with `prefix`. */
export const names = (prefix) => local.names().filter((name) => name.startsWith(prefix));

/** Remove expired items of others, and items that cannot be opened any more. */
export function removeExpired() {
  for (const name of local.names()) {
    if (!NAMES.test(name)) continue;
    const age = serverNow() - keptAt(local.getItem(name));
    if (!(age < KEPT_MS) && read(name) === undefined) forget(name);
  }
}

function valueOf(name, text) {
  const { key, author } = identity.get();
  try {
    const kept = JSON.parse(text);
    if (typeof kept.sealed === "string") return open(key, name, kept.sealed);
    // Earlier versions kept it as it is. Its owner's key is known now; nobody else's may be used.
    return name.split(":").slice(2, 4).join(":") === author ? kept : undefined;
  } catch {
    return undefined;
  }
}

// Earlier versions kept a message with the time it was written, and drafts as a list with the
// time of each one's last edit.
function keptAt(text) {
  try {
    const kept = JSON.parse(text);
    if (Array.isArray(kept)) return Math.max(...kept.map(([, , edit]) => edit));
    return typeof kept.at === "string" ? Date.parse(kept.at) : kept.at;
  } catch {
    return NaN;
  }
}

function seal(key, name, value) {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const cipher = xchacha20poly1305(key, nonce, bytesOf(name));
  const sealed = cipher.encrypt(bytesOf(JSON.stringify(value)));
  const bytes = new Uint8Array(NONCE_BYTES + sealed.length);
  bytes.set(nonce);
  bytes.set(sealed, NONCE_BYTES);
  return btoa(characters(bytes));
}

// A draft is sealed at each key: by an array it takes four times as long.
function characters(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function open(key, name, text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const cipher = xchacha20poly1305(key, nonce, bytesOf(name));
  return JSON.parse(new TextDecoder().decode(cipher.decrypt(bytes.subarray(NONCE_BYTES))));
}

const bytesOf = (text) => new TextEncoder().encode(text);
