// Thread: the open conversation, with a window of its messages and the unsent ones, as rows for the
// screen.

import { THREAD_FEED } from "$/utils/constants.js";
import { account } from "../account/account.js";
import { shifted } from "../inbox/aim.js";
import { connection } from "../connection/connection.js";
import { ownUserId } from "../connection/identity.js";
import * as drafts from "../outbox/drafts.js";
import { Feed } from "../feeds/feed.js";
import { Pager } from "../feeds/pager.js";
import { follow, followAgain } from "../feeds/following.js";
import { registerFeed } from "../feeds/registry.js";
import { conversationPath } from "../navigation/filters.js";
import { bySeq, grouped } from "./message_rows.js";
import * as inbox from "../inbox/inbox.js";
import { request, isConnected } from "../connection/request.js";
import { forget, onFold } from "./long_messages.js";
import * as outbox from "../outbox/outbox.js";
import * as people from "../presence/presence.js";
import { goTo } from "../navigation/router.js";
import { invalidate, flush, ownVars } from "../feeds/reflex_vars.js";
import { scroller } from "./scroll.js";
import * as memory from "./recent_threads.js";

// More than this many messages are never on the page; scrolling brings the others back.
const WINDOW = 300;
const PATIENCE_MS = 10_000;
const CONVERSATION = /^\/c\/([^/]+)\/?$/;
// A conversation that the server has not told of yet: nothing of it can be shown or changed.
const NOT_KNOWN = { id: "" };

let stateName = null;
let phase = "none";
let patience = null;
let marked = 0;
// The last message that was read before the conversation was opened, and how many of the patient's
// came after it; Infinity and 0 when nothing is unread.
let unreadAfter = Infinity;
let unreadCount = 0;
// Up to where the pill counts nothing as new, and up to where messages were in view.
let seenSeq = 0;
let shownSeq = 0;
// Whether what is on the screen is kept from before, and the server has not told of it yet.
let fromMemory = false;

export const feed = new Feed(THREAD_FEED, {
  askFor: ({ name, key, version }) => request("feed:catch-up", { feed: name, key, version }),
  // The window grows by live messages only at its end, and when it is full only while the
  // reader is there: somebody who reads further up must not lose what they read.
  accepts: ({ seq }, { items }) =>
    items.size === 0 || (seq === lastSeq() + 1 && (items.size < WINDOW || scroller.atBottom())),
});
const pages = new Pager({
  ask: (query) => request("feed:page", { feed: feed.name, key: feed.key, query }),
  changed: () => invalidate(stateName),
});

/** Take over the thread's vars of the Thread state. */
export function start(name) {
  stateName = name;
  ownVars(name, vars);
}

/** Open an address: `/c/<id>`, `/c/<id>?m=<seq>`, or `/` for no conversation. */
export function openAddress(pathname, search) {
  const [, conversationId] = CONVERSATION.exec(pathname) ?? [];
  const seq = Number(new URLSearchParams(search).get("m"));
  open(conversationId ?? "", Number.isSafeInteger(seq) ? seq : 0);
  // A page that is not the inbox's has none either, and the inbox may come after it.
  if (!conversationId) setPhase(pathname === "/" ? "none" : "missing");
}

/**
 * Show another conversation, or none for "". The previous one is gone before the browser
 * paints, so nobody reads one patient's messages under another's name.
 * @param {number} seq the message to open at, 0 for the newest
 */
function open(conversationId, seq) {
  if ((feed.key ?? "") === conversationId && marked === seq) return;
  window.clearTimeout(patience);
  shifted();
  if (phase === "ready" && atEnd()) memory.keep(feed, inbox.item(feed.key));
  feed.reset(conversationId || null);
  phase = conversationId ? "loading" : "none";
  marked = seq;
  unreadAfter = Infinity;
  unreadCount = seenSeq = shownSeq = 0;
  fromMemory = false;
  pages.reset();
  forget();
  people.leave();
  if (conversationId && seq === 0) recall(conversationId);
  if (phase === "loading") giveUpLater();
  inbox.show(conversationId);
  invalidate(stateName);
  flush();
  follow();
}

/** Request a conversation that did not load once more. */
export function retry() {
  setPhase("loading");
  giveUpLater();
  followAgain(feed.name);
}

function giveUpLater() {
  window.clearTimeout(patience);
  patience = window.setTimeout(() => {
    if (phase === "loading") setPhase(isConnected() ? "failed" : "loading");
  }, PATIENCE_MS);
}

// What was on the screen a moment ago shows at once, and without a connection; the server sends
// what it has become. With news it is opened anew, at the first unread message.
function recall(conversationId) {
  const kept = memory.recall(conversationId);
  if (!kept) return;
  if (!inbox.item(conversationId)) inbox.learn(kept.row, {});
  if (isConnected() && inbox.row(conversationId).unread > 0) return;
  feed.snapshot({ key: conversationId, version: kept.version, items: kept.items });
  phase = "ready";
  fromMemory = true;
  seenSeq = tail();
}

/** The id of the conversation whose messages are on the screen, or "". */
export const openId = () => (isShown() ? feed.key : "");

function receive(message) {
  if (message.key !== feed.key) return;
  if (message.kind === "refused") {
    memory.forget(feed.key);
    feed.reset(feed.key);
    setPhase("missing");
    return;
  }
  if (message.row) inbox.learn(message.row, message);
  if (message.kind === "snapshot") takeSnapshot(message);
  else if (message.kind === "patch") takePatch(message);
  else if (message.kind === "page") takePage(message);
  if (message.viewers) people.join(feed.key, message.viewers);
  if (message.draft !== undefined) {
    drafts.receive(feed.key, message.draft, message.personalVersion);
  }
  invalidate(stateName);
}

/** Show a message that the server has acknowledged, without waiting for its patch. */
export function acknowledged(message) {
  if (message.conversation_id !== feed.key || !feed.ready) return;
  if (message.seq === lastSeq() + 1) feed.page([message]);
  invalidate(stateName);
}

/** Go to the newest message, and load it if it is outside of the window. */
export async function jumpToLatest() {
  if (!atEnd()) await request("feed:catch-up", { feed: feed.name, key: feed.key, version: null });
  scroller.toBottom();
}

/** Update after the reader has reached or left the bottom, or seen further messages. */
export function placeChanged() {
  look();
  invalidate(stateName);
}

/** The number up to which all messages have been in view, 0 for none. */
export const lastShown = () => shownSeq;

/** Go to the first unread message, which is before the loaded messages. */
export const jumpToUnread = () => goTo(conversationPath(feed.key, unreadAfter + 1));

// Which messages are in view now, as far as they are on the page.
function look() {
  if (!isShown()) return;
  if (scroller.atBottom() && atEnd()) seenSeq = tail();
  // The newest are in view, and between them and what was read before may be many that were not.
  if (skipsUnread()) return;
  const last = Math.min(lastSeq(), scroller.lastShown());
  shownSeq = Math.max(shownSeq, last);
  seenSeq = Math.max(seenSeq, last);
}

const skipsUnread = () =>
  unreadCount > 0 && unreadAfter + 1 < firstSeq() && !scroller.hasScrolled();

/** The highest message number on the screen, 0 when there is none. */
export function lastSeq() {
  let last = 0;
  for (const { seq } of feed.items.values()) last = Math.max(last, seq);
  return last;
}

function takeSnapshot(message) {
  const opening = phase !== "ready" || fromMemory;
  feed.snapshot(message);
  if (opening) {
    const unread = message.row.inbound_count - (message.markers[feed.key] ?? 0);
    // Whoever wrote since then has read what they answered.
    const read = Math.max(message.readSeq, lastOwnSeq());
    unreadAfter = unread > 0 ? read : Infinity;
    unreadCount = Math.max(0, unread);
    seenSeq = unread > 0 && marked === 0 && !fromMemory ? Math.min(tail(), read) : tail();
  }
  fromMemory = false;
  phase = "ready";
  look();
}

function takePatch(message) {
  feed.patch(message);
  fromMemory = false;
  for (const { author_id, direction } of message.upsert) {
    if (direction === "outbound") people.stopTyping(feed.key, author_id);
  }
  if (scroller.atBottom()) trim((a, b) => a - b);
  look();
}

function lastOwnSeq() {
  const mine = ownUserId();
  let last = 0;
  for (const { seq, author_id } of feed.items.values()) {
    if (author_id === mine) last = Math.max(last, seq);
  }
  return last;
}

/** Request the messages before the first loaded one. */
export const loadEarlier = () => load("earlier", { before: firstSeq() });

/** Request the messages after the last loaded one. */
export const loadLater = () => load("later", { after: lastSeq() });

function load(side, query) {
  if (phase === "ready") pages.load(side, query);
}

function takePage({ items, side }) {
  const first = firstSeq();
  const last = lastSeq();
  const next = items.filter(({ seq }) =>
    side === "later" ? seq > last : seq < first,
  );
  // Only what continues the window: it must never have a hole.
  const joins = side === "later" ? next[0]?.seq === last + 1 : next.at(-1)?.seq === first - 1;
  if (!joins) return;
  feed.page(next);
  trim(side === "later" ? (a, b) => a - b : (a, b) => b - a);
}

/** Remove messages that exceed the window, beginning with the first in `order`. */
function trim(order) {
  const excess = feed.items.size - WINDOW;
  if (excess <= 0) return;
  const rows = [...feed.items.values()].sort((a, b) => order(a.seq, b.seq));
  for (const { id } of rows.slice(0, excess)) feed.items.delete(id);
}

function setPhase(next) {
  phase = next;
  invalidate(stateName);
}

function firstSeq() {
  let first = Infinity;
  for (const { seq } of feed.items.values()) first = Math.min(first, seq);
  return first;
}

const isShown = () => phase === "ready" && scroller.shows(feed.key);

const tail = () => Math.max(inbox.item(feed.key)?.last_seq ?? 0, lastSeq());

const atEnd = () => !feed.ready || lastSeq() >= tail();

function vars() {
  const first = firstSeq();
  const end = atEnd();
  const shown = end ? [...stored(), ...waiting()] : stored();
  const row = (feed.key && inbox.row(feed.key)) || NOT_KNOWN;
  return {
    phase,
    messages: grouped(shown, { unreadAfter, marked, patientName: row.patient_name }),
    conversation: row,
    first_seq: Number.isFinite(first) ? first : 0,
    last_seq: lastSeq(),
    marked_seq: marked,
    at_end: end,
    loading_earlier: pages.isLoading("earlier"),
    loading_later: pages.isLoading("later"),
    show_jump: phase === "ready" && (!end || !scroller.atBottom()),
    new_below: Math.max(0, tail() - seenSeq),
    unread_above: phase === "ready" && skipsUnread() ? unreadCount : 0,
    offline: phase === "loading" && ["waiting", "offline"].includes(connection.get().status),
    ...people.varsOf(feed.key),
  };
}

const stored = () => [...feed.items.values()].sort(bySeq);

function waiting() {
  const arrived = new Set([...feed.items.values()].map(({ client_id }) => client_id));
  return outbox
    .of(feed.key)
    .filter(({ clientId }) => !arrived.has(clientId))
    .map((entry) => ({
      id: entry.clientId,
      seq: 0,
      direction: "outbound",
      author_id: ownUserId(),
      author_name: "",
      kind: "text",
      body: entry.body,
      body_length: 0,
      client_id: entry.clientId,
      status: entry.state,
      at: entry.at,
      received_at: "",
      delivered_at: "",
      read_at: "",
      failed_at: "",
      failure: entry.reason ?? "",
    }));
}

registerFeed(THREAD_FEED, {
  receive,
  wanted: () => feed.key && { key: feed.key, ...(marked > 0 ? { around: marked } : {}) },
  held: () => feed.held,
  // The row in the list tells which version there is.
  upTo() {
    const row = feed.ready && inbox.item(feed.key);
    if (!row || row.version <= feed.version) return true;
    feed.repair();
    return false;
  },
});
inbox.whetherReading(() => isShown() && scroller.atBottom() && atEnd() && !skipsUnread());
account.subscribe(() => invalidate(stateName));
people.onChange(() => invalidate(stateName));
inbox.onChange(() => invalidate(stateName));
outbox.onChange(() => invalidate(stateName));
onFold(() => invalidate(stateName));
connection.subscribe(() => invalidate(stateName));
