// Messages on their way: each is sent until the server says that it is stored or refused.
// The same client_id every time, so trying again can never store it twice.

import { account } from "$/public/live/account.js";
import { ask, isConnected } from "$/public/live/link.js";

const SENDING = "sending";
const FAILED = "failed";
// Refusals that trying again cannot change by itself wait for the person to decide.
const RETRY_MS = 1000;

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
  entries.filter((entry) => entry.conversationId === conversationId);

/** Take a message; it is on the screen at once and sent as soon as that is possible. */
export function send(conversationId, body) {
  entries.push({
    clientId: uniqueId(),
    conversationId,
    body,
    userId: account.get().userId,
    at: new Date().toISOString(),
    state: SENDING,
  });
  tell();
  pump();
}

/** Send a failed message again. */
export function retry(clientId) {
  set(clientId, { state: SENDING, reason: "" });
  pump();
}

/** Give a failed message up. */
export function discard(clientId) {
  entries = entries.filter((entry) => entry.clientId !== clientId);
  tell();
}

/** Send what waits, one after the other, so that order is kept. */
export async function pump() {
  if (pumping) return;
  pumping = true;
  try {
    for (let entry = next(); entry && isConnected(); entry = next()) {
      const answer = await ask("message:send", {
        conversationId: entry.conversationId,
        clientId: entry.clientId,
        body: entry.body,
      });
      if (answer.error?.code === "no_answer") {
        if (!isConnected()) break;
        await new Promise((resolve) => window.setTimeout(resolve, RETRY_MS));
      } else if (answer.error) {
        set(entry.clientId, { state: FAILED, reason: answer.error.code });
      } else {
        whenStored(answer.message);
        discard(entry.clientId);
      }
    }
  } finally {
    pumping = false;
  }
}

const next = () => entries.find((entry) => entry.state === SENDING);

function set(clientId, changes) {
  entries = entries.map((entry) =>
    entry.clientId === clientId ? { ...entry, ...changes } : entry,
  );
  tell();
}

function tell() {
  for (const listener of listeners) listener();
}

// crypto.randomUUID needs HTTPS, and a clinic's first try is often plain HTTP on a LAN.
function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
