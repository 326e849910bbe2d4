// Messages on their way: each is kept in this browser and sent until the server says that it is
// stored or refused. The same client_id every time, so that sending again can never store it
// twice; one after the other, so that their order stays.

import { account } from "$/public/live/account.js";
import { isReloading } from "$/public/live/connection.js";
import { ask, isConnected } from "$/public/live/link.js";
import { createStore } from "$/public/live/store.js";

const SENDING = "sending";
const FAILED = "failed";
const PREFIX = "clinic-chat:outbox";
const RETRY_MS = 1000;
// The person need not decide about these: they pass, or another sign-in solves them.
const PASSING = new Set(["no_answer", "unauthorized"]);
const inBrowser = typeof window !== "undefined";

/** How many messages wait, for the badge and for warnings. */
export const queued = createStore(0);

let storageKey = "";
let entries = [];
let pumping = false;
const listeners = new Set();
let whenStored = () => {};

/** Call `listener` whenever what is on its way changes. */
export const onChange = (listener) => listeners.add(listener);

/** Call `listener` with each message the server acknowledged. */
export function onStored(listener) {
  whenStored = listener;
}

/** What is on its way in a conversation, in the order it was written. */
export const of = (conversationId) =>
  entries
    .filter((entry) => entry.conversationId === conversationId)
    .map((entry) =>
      entry.state === SENDING && !isConnected() ? { ...entry, state: "waiting" } : entry,
    );

/** Take a message; it is on the screen at once and sent as soon as that is possible. */
export function send(conversationId, body) {
  const entry = {
    clientId: uniqueId(),
    conversationId,
    body,
    at: new Date().toISOString(),
    state: SENDING,
  };
  change((stored) => [...stored, entry]);
  pump();
}

/** Send a failed message again. */
export function retry(clientId) {
  set(clientId, { state: SENDING, reason: "" });
  pump();
}

/** Give a message up. */
export function discard(clientId) {
  change((stored) => stored.filter((entry) => entry.clientId !== clientId));
}

/** Give everything up, as signing out does after a warning. */
export function clear() {
  change(() => []);
}

/** Send what waits, one after the other. */
export async function pump() {
  if (pumping) return;
  pumping = true;
  try {
    for (let entry = next(); entry && isConnected(); entry = next()) await deliver(entry);
  } finally {
    pumping = false;
  }
}

async function deliver({ clientId, conversationId, body }) {
  const key = storageKey;
  const { message, error } = await ask("message:send", { conversationId, clientId, body });
  // Another person may have signed in meanwhile in another tab.
  if (key !== storageKey) return;
  if (message) {
    whenStored(message);
    discard(clientId);
  } else if (PASSING.has(error.code)) {
    if (isConnected()) await new Promise((resolve) => window.setTimeout(resolve, RETRY_MS));
  } else {
    set(clientId, { state: FAILED, reason: error.code });
  }
}

const next = () => entries.find((entry) => entry.state === SENDING);

function set(clientId, changes) {
  change((stored) =>
    stored.map((entry) => (entry.clientId === clientId ? { ...entry, ...changes } : entry)),
  );
}

// Other tabs of the same person share the storage, so it is read before it is written.
function change(update) {
  entries = update(stored() ?? entries);
  try {
    if (storageKey) window.localStorage.setItem(storageKey, JSON.stringify(entries));
  } catch {
    // Full or forbidden storage: the messages are kept for as long as the page is.
  }
  tell();
}

function stored() {
  try {
    const text = storageKey && window.localStorage.getItem(storageKey);
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function tell() {
  queued.set(entries.length);
  for (const listener of listeners) listener();
}

// Keyed by person and clinic: nobody else who uses this browser sees or sends them.
function load({ userId, clinic }) {
  const key = userId && `${PREFIX}:${userId}:${clinic}`;
  if (key === storageKey) return;
  storageKey = key;
  entries = stored() ?? [];
  tell();
  pump();
}

// crypto.randomUUID needs HTTPS, and a clinic's first try is often plain HTTP on a LAN.
function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

account.subscribe(load);
if (inBrowser) {
  window.addEventListener("storage", ({ key }) => {
    if (key !== storageKey) return;
    entries = stored() ?? [];
    tell();
    pump();
  });
  window.addEventListener("beforeunload", (event) => {
    if (entries.length > 0 && !isReloading()) event.preventDefault();
  });
}
