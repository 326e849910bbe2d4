// The conversation list: the clinic's feed, this person's read markers, and what is shown.

import { account } from "$/public/live/account.js";
import { Feed } from "$/public/live/feed.js";
import { ask } from "$/public/live/link.js";
import { changed, own } from "$/public/live/screen.js";

export const MARKERS = "markers";
const KEY = "inbox";

export const feed = new Feed("conversations", {
  askFor: ({ name, key, version }) => ask("feed:catch-up", { feed: name, key, version }),
});
feed.reset(KEY);

const MAIN = viewKey({ search: "" });

const markers = new Map();
const asked = new Set();
let stateName = null;
let openId = "";
// What has been loaded of each way to look at the list: rows are shown down to the last one
// loaded in order, because a search or a deep link loads others out of order.
const views = new Map();
let view = { search: "" };

/** Take over the list's vars of the Inbox state. */
export function start(name) {
  stateName = name;
  own(name, vars);
}

export function show(conversationId) {
  if (openId === conversationId) return;
  openId = conversationId;
  changed(stateName);
}

/** A conversation as the screen shows it, when this tab knows it. */
export function row(id) {
  const item = feed.items.get(id);
  return item && decorate(item);
}

/** Rows that came with something else, such as an opened conversation's. */
export function learn(item, itsMarkers) {
  const known = feed.items.get(item.id);
  if (!known || known.version <= item.version) feed.items.set(item.id, item);
  takeMarkers(itsMarkers);
  changed(stateName);
}

export function receive(message) {
  takeMarkers(message.markers);
  if (message.kind === "snapshot") {
    feed.snapshot(message);
    views.clear();
    loaded(MAIN, message);
  } else if (message.kind === "patch") {
    feed.patch(message);
    askForMarkers(message.upsert);
  } else if (message.kind === "page") {
    takePage(message);
  }
  changed(stateName);
}

export function receiveMarkers(message) {
  for (const { id, inbound_read } of message.upsert) raiseMarker(id, inbound_read);
  changed(stateName);
}

// The server answers a search or a request for more with a page of one view of the list.
function takePage(message) {
  const key = viewKey(message.view);
  feed.page(message.items);
  if (message.more || !views.has(key)) loaded(key, message);
  if (!message.more) view = message.view;
}

function loaded(key, { items, cursor }) {
  views.set(key, { cursor, end: cursor ? items.at(-1) : null });
}

function viewKey({ search }) {
  return JSON.stringify([search]);
}

function takeMarkers(incoming) {
  for (const [id, read] of Object.entries(incoming ?? {})) raiseMarker(id, read);
}

function raiseMarker(id, read) {
  markers.set(id, Math.max(read, markers.get(id) ?? 0));
}

// A room patch carries nothing that differs per viewer, so a row that is new to this tab
// comes without this person's marker.
async function askForMarkers(rows) {
  const ids = rows.map(({ id }) => id).filter((id) => !markers.has(id) && !asked.has(id));
  if (ids.length === 0) return;
  for (const id of ids) asked.add(id);
  const answer = await ask("markers:get", { ids });
  for (const id of ids) asked.delete(id);
  takeMarkers(answer.markers);
  changed(stateName);
}

const newestFirst = (a, b) =>
  a.last_activity_at === b.last_activity_at
    ? a.id < b.id ? 1 : -1
    : a.last_activity_at < b.last_activity_at ? 1 : -1;

export const plain = (text) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function matches(item, text) {
  const digits = text.replace(/\D/g, "");
  return (
    plain(item.patient_name).includes(plain(text)) ||
    (digits.length >= 3 && item.patient_phone.includes(digits))
  );
}

function shown() {
  const end = views.get(viewKey(view))?.end;
  return [...feed.items.values()]
    .filter((item) => !view.search || matches(item, view.search))
    .filter((item) => !end || newestFirst(item, end) <= 0)
    .sort(newestFirst);
}

const unread = (item) =>
  markers.has(item.id) ? Math.max(0, item.inbound_count - markers.get(item.id)) : 0;

function decorate(item) {
  return {
    ...item,
    unread: item.id === openId && document.hasFocus() ? 0 : unread(item),
    is_open: item.id === openId,
    initials: initials(item.patient_name),
    hue: hue(item.patient_id),
    preview_mine: item.preview_author_id !== "" && item.preview_author_id === account.get().userId,
  };
}

export function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** A hue that stays the same for the same id, in degrees. */
export function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return Math.round(sum / 30) * 30 % 360;
}

function vars() {
  return {
    conversations: shown().map(decorate),
    ready: feed.ready,
    cursor: views.get(viewKey(view))?.cursor ?? "",
  };
}

account.subscribe(() => changed(stateName));
