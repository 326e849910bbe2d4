// The open conversation: its messages, what waits in the outbox, and how they are grouped.

import { account } from "$/public/live/account.js";
import { Feed } from "$/public/live/feed.js";
import * as inbox from "$/public/live/inbox.js";
import { ask, isConnected } from "$/public/live/link.js";
import * as outbox from "$/public/live/outbox.js";
import { changed, flush, own } from "$/public/live/screen.js";
import { dayIn } from "$/public/live/time.js";

const GROUP_MS = 5 * 60_000;
const PATIENCE_MS = 10_000;

export const feed = new Feed("messages", {
  askFor: ({ name, key, version }) => ask("feed:catch-up", { feed: name, key, version }),
  // An older message that is not loaded is read when its page is.
  accepts: ({ seq }, { items }) => items.size === 0 || seq > firstSeq(),
});

let stateName = null;
let phase = "none";
let patience = null;

/** Take over the thread's vars of the Thread state. */
export function start(name) {
  stateName = name;
  own(name, vars);
}

/**
 * Show another conversation, or none for "". What was there is gone before the browser
 * paints, so nobody reads one patient's messages under another's name.
 */
export function open(conversationId) {
  if ((feed.key ?? "") === conversationId) return;
  window.clearTimeout(patience);
  feed.reset(conversationId || null);
  phase = conversationId ? "loading" : "none";
  if (conversationId) {
    patience = window.setTimeout(() => {
      if (phase === "loading") setPhase(isConnected() ? "failed" : "loading");
    }, PATIENCE_MS);
  }
  inbox.show(conversationId);
  changed(stateName);
  flush();
}

/** The id of the conversation whose messages are on the screen, or "". */
export const openId = () => (phase === "ready" ? feed.key : "");

export function receive(message) {
  if (message.key !== feed.key) return;
  if (message.kind === "refused") {
    feed.reset(feed.key);
    setPhase("missing");
    return;
  }
  if (message.kind === "snapshot") feed.snapshot(message);
  else if (message.kind === "patch") feed.patch(message);
  else if (message.kind === "page") feed.page(message.items);
  if (message.row) inbox.learn(message.row, message.markers);
  if (feed.ready) phase = "ready";
  changed(stateName);
}

/** Show a message the server has acknowledged without waiting for its patch. */
export function acknowledged(message) {
  if (message.conversation_id === feed.key && feed.ready) {
    feed.page([message]);
    changed(stateName);
  }
}

/** The highest message number on the screen, 0 when there is none. */
export function lastSeq() {
  let last = 0;
  for (const { seq } of feed.items.values()) last = Math.max(last, seq);
  return last;
}

function setPhase(next) {
  phase = next;
  changed(stateName);
}

function firstSeq() {
  let first = Infinity;
  for (const { seq } of feed.items.values()) first = Math.min(first, seq);
  return first;
}

function vars() {
  const first = firstSeq();
  return {
    phase,
    messages: grouped([...stored(), ...waiting()]),
    conversation: (feed.key && inbox.row(feed.key)) || {},
    first_seq: Number.isFinite(first) ? first : 0,
  };
}

const stored = () => [...feed.items.values()].sort((a, b) => a.seq - b.seq);

function waiting() {
  const arrived = new Set([...feed.items.values()].map(({ client_id }) => client_id));
  return outbox
    .of(feed.key)
    .filter(({ clientId }) => !arrived.has(clientId))
    .map((entry) => ({
      id: entry.clientId,
      seq: 0,
      direction: "outbound",
      author_id: account.get().userId,
      author_name: "",
      body: entry.body,
      client_id: entry.clientId,
      status: entry.state,
      at: entry.at,
      failure: entry.reason ?? "",
    }));
}

function grouped(messages) {
  const zone = account.get().timeZone;
  let before = null;
  return messages.map((message) => {
    const day = dayIn(message.at, zone);
    const newDay = before === null || before.day !== day;
    const same =
      !newDay &&
      before.direction === message.direction &&
      before.author_id === message.author_id &&
      (message.author_name === "" || before.author_name === message.author_name) &&
      Date.parse(message.at) - Date.parse(before.at) < GROUP_MS;
    before = { ...message, day };
    return {
      ...message,
      // The row keeps its place and its React key when its message is acknowledged.
      key: message.client_id || message.id,
      day: newDay ? day : "",
      starts_group: !same,
      mine: message.author_id !== "" && message.author_id === account.get().userId,
    };
  });
}

account.subscribe(() => changed(stateName));
outbox.onChange(() => changed(stateName));
