// Outbox: keeps each message in this browser and sends it until the server has stored or refused
// it. The client_id stays the same, so that no repeated send stores it twice; messages go one after
// the other, so that their order stays, and only as their author, who may have to sign in again.

import { serverNow } from "../lib/clock.js";
import { isLeaving } from "../connection/connection.js";
import { identity, ownUserId } from "../connection/identity.js";
import { uniqueId } from "../lib/ids.js";
import { request, isConnected } from "../connection/request.js";
import { safely, tellAll } from "../lib/safely.js";
import * as sealed from "./sealed_storage.js";
import { createStore } from "../lib/store.js";

const SENDING = "sending";
const FAILED = "failed";
const TOO_OLD = "too_old";
const PREFIX = "clinic-chat:outbox";
// The person need not decide about these: they pass, or another sign-in solves them. What comes
// later waits as well, or it would overtake.
const RETRY_MS = {
  offline: 0,
  no_answer: 1000,
  restarting: 1000,
  unauthorized: 1000,
  wrong_author: 1000,
  rate_limited: 5000,
};
const inBrowser = typeof window !== "undefined";

/** The number of waiting messages, for the badge and for warnings. */
export const queued = createStore(0);

let author = "";
let prefix = "";
let entries = [];
// Those that the browser's storage did not take.
const unkept = new Map();
let pumping = false;
const listeners = new Set();
let whenStored = () => {};

/** Call `listener` whenever the unsent messages change. */
export const onChange = (listener) => listeners.add(listener);

/** Call `listener` with each message that the server has acknowledged. */
export function onStored(listener) {
  whenStored = listener;
}

/** The unsent messages of a conversation, in the order in which they were written. */
export const of = (conversationId) =>
  entries
    .filter((entry) => entry.conversationId === conversationId)
    .map((entry) =>
      entry.state === SENDING && !isConnected() ? { ...entry, state: "waiting" } : entry,
    );

/** Add a message; it shows at once, and is sent as soon as that is possible. */
export function send(conversationId, body, clientId = uniqueId()) {
  keep({
    clientId,
    conversationId,
    body,
    at: new Date(serverNow()).toISOString(),
    place: (entries.at(-1)?.place ?? 0) + 1,
    state: SENDING,
  });
  pump();
}

const AGAIN = /^again:([^:]+):/;

/** The id of the failed message that a message repeats, from its client_id; "" for none. */
export const sentAgain = (clientId) => AGAIN.exec(clientId)?.[1] ?? "";

/**
 * Send the text of a failed message once more, as a new message. Its client_id is made from the
 * failed one's id, so that two presses, or two screens, still send one message.
 */
export function sendAgain(conversationId, messageId, body) {
  const clientId = `again:${messageId}:${ownUserId()}`;
  if (!entries.some((entry) => entry.clientId === clientId)) send(conversationId, body, clientId);
}

/** Send a failed message again. */
export function retry(clientId) {
  change(clientId, { state: SENDING, reason: "" });
  pump();
}

/** Discard a message. */
export function discard(clientId) {
  unkept.delete(clientId);
  sealed.forget(prefix + clientId);
  refresh();
}

/** Discard all messages, as signing out does after a warning. */
export function clear() {
  for (const { clientId } of entries) discard(clientId);
}

/** Send the waiting messages, one after the other. */
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
  const { message, error } = await request("message:send", { author, conversationId, clientId, body });
  if (message) {
    safely(whenStored, message);
    discard(clientId);
  } else if (error.code in RETRY_MS) {
    if (isConnected()) {
      await new Promise((resolve) => window.setTimeout(resolve, RETRY_MS[error.code]));
    }
  } else {
    change(clientId, { state: FAILED, reason: error.code });
  }
}

const next = () => entries.find((entry) => entry.state === SENDING);

function change(clientId, changes) {
  refresh();
  const entry = entries.find((known) => known.clientId === clientId);
  if (entry) keep({ ...entry, ...changes });
}

// Each message has a key of its own: tabs of the same person share the storage, and a list
// that each of them reads and writes would lose what another one added meanwhile.
function keep(entry) {
  unkept.set(entry.clientId, entry);
  if (prefix && sealed.keep(prefix + entry.clientId, entry)) unkept.delete(entry.clientId);
  refresh();
}

function refresh() {
  entries = [...kept(), ...unkept.values()].sort(
    (a, b) => a.place - b.place || (a.clientId < b.clientId ? -1 : 1),
  );
  queued.set(entries.length);
  tellAll(listeners);
}

function kept() {
  if (!prefix) return [];
  return sealed
    .names(prefix)
    .filter((name) => !unkept.has(name.slice(prefix.length)))
    .flatMap((name) => sealed.read(name) ?? []);
}

// A tab never changes hands, so what was written before it was known who writes is this person's.
function load({ author: its }) {
  if (!its || its === author) return;
  author = its;
  prefix = `${PREFIX}:${its}:`;
  for (const entry of unkept.values()) keep(entry);
  refresh();
  for (const entry of entries) takeOver(entry);
  sealed.removeExpired();
  pump();
}

// What is an old answer by now goes out only when its author still wants that. Earlier versions
// kept messages as they were.
function takeOver(entry) {
  const isOld = serverNow() - Date.parse(entry.at) > sealed.KEPT_MS;
  if (isOld && entry.state === SENDING) keep({ ...entry, state: FAILED, reason: TOO_OLD });
  else if (!sealed.isSealed(prefix + entry.clientId)) keep(entry);
}

identity.subscribe(load);
if (inBrowser) {
  window.addEventListener("storage", ({ key }) => {
    if (!prefix || (key !== null && !key.startsWith(prefix))) return;
    refresh();
    pump();
  });
  window.addEventListener("beforeunload", (event) => {
    if (entries.length === 0 || (isLeaving() && unkept.size === 0)) return;
    event.preventDefault();
    // Chrome before 119 goes by this one.
    event.returnValue = true;
  });
}
