// Inbox: the conversation list, from the clinic's feed to the rows on the screen.

import { INBOX_FEED, INBOX_KEY } from "$/utils/constants.js";
import { ownUserId } from "../connection/identity.js";
import { showUnread } from "../notifications/unread_badge.js";
import * as counts from "./counts.js";
import { Feed } from "../feeds/feed.js";
import { registerFeed } from "../feeds/registry.js";
import * as filters from "../navigation/filters.js";
import { request } from "../connection/request.js";
import { arrived } from "../notifications/notifications.js";
import * as markers from "./markers.js";
import * as order from "./order.js";
import * as people from "../presence/presence.js";
import { safely, tellAll } from "../lib/safely.js";
import { invalidate, ownVars } from "../feeds/reflex_vars.js";
import { hitsIn, matchesTerms } from "./search.js";
import { hue, initials, salutation } from "../lib/text.js";
import * as views from "./views.js";

export const feed = new Feed(INBOX_FEED, {
  askFor: ({ name, key, version }) =>
    request("feed:catch-up", { feed: name, key, version, personal: counts.personal() }),
  applied: applyMoves,
});
feed.reset(INBOX_KEY);
let stateName = null;
let openId = "";
// Why this person has no list, "" for one that has it or gets it.
let refused = "";
// The open conversation stays in the list until another is opened, even when it stops
// matching because it was just read: rows must not vanish under the pointer.
let keptUnread = "";
// The row that has the keyboard's focus.
let focused = "";

let readsAlong = () => false;
const listeners = new Set();

/** Call `listener` whenever a row or a number of the list changes; returns a stop function. */
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function update() {
  invalidate(stateName);
  tellAll(listeners);
}

/** Set the function that returns whether the open conversation is or was in view to its end. */
export function whetherReading(question) {
  readsAlong = question;
}

/** Take over the list's vars of the Inbox state. */
export function start(name) {
  stateName = name;
  ownVars(name, vars);
}

export function show(conversationId) {
  if (openId === conversationId) return;
  openId = conversationId;
  keptUnread = conversationId;
  update();
}

/** A conversation as the server sent it, undefined if this tab does not have it. */
export const item = (id) => feed.items.get(id);

/** A conversation as a row of the screen, undefined if this tab does not have it. */
export function row(id) {
  const found = feed.items.get(id);
  return found && decorate(found);
}

/** Take a row that came with other data, such as an opened conversation. */
export function learn(found, message) {
  const known = feed.items.get(found.id);
  if (!known || known.version <= found.version) feed.items.set(found.id, found);
  markers.takeAll(message);
  update();
}

function receive(message) {
  if (message.kind === "refused") {
    refused = message.code;
    update();
    return;
  }
  markers.takeAll(message);
  people.begin(message);
  if (message.kind === "snapshot") takeSnapshot(message);
  else if (message.kind === "patch") takePatch(message);
  else if (message.kind === "page") takePage(message);
  markers.askForMissing(() => feed.items.keys(), update);
  update();
}

/** Take a move of one of this person's read markers, here or on another device. */
export function markerMoved(change) {
  markers.take(change.id, change.inbound_read, change.version);
  counts.mark(change);
  update();
}

function takeSnapshot(message) {
  refused = "";
  // Before the patches that waited for it move what it counts.
  counts.set(message.counts);
  markers.forgetOthers(message);
  const open = item(openId);
  feed.snapshot(message);
  // It may be beyond the first page, and its thread shows it all the same.
  if (open && !item(openId)) feed.items.set(openId, open);
  views.begin(message);
}

function takePatch(message) {
  feed.patch(message);
  if (message.counts) {
    // The first patch of a connection.
    counts.offer(message.counts);
    views.resume();
  }
  for (const { id, preview_direction, preview_author_id } of message.upsert) {
    if (preview_direction === "outbound") people.stopTyping(id, preview_author_id);
  }
}

function takePage(message) {
  feed.page(message.items);
  views.takePage(message);
}

function applyMoves({ moves = [], from, to }) {
  for (const { id, was } of moves) if (was === null) markers.begin(id);
  counts.move({ moves, from, to }, markers.markerAt);
  arrived(moves.filter(({ inbound }) => inbound), row);
}

const newestFirst = (a, b) =>
  a.last_activity_at === b.last_activity_at
    ? a.id < b.id ? 1 : -1
    : a.last_activity_at < b.last_activity_at ? 1 : -1;

function matches(found) {
  const { search, who, status, unread, terms } = views.get();
  if (who === "mine" && found.assignee_id !== ownUserId()) return false;
  if (who === "unassigned" && found.assignee_id !== "") return false;
  if (status && found.status !== status) return false;
  if (unread && markers.unreadOf(found) === 0 && found.id !== keptUnread) return false;
  return !search || matchesTerms(found, terms);
}

function shown() {
  const end = views.end();
  return [...feed.items.values()]
    .filter(matches)
    .filter((found) => !end || newestFirst(found, end) <= 0)
    .sort(newestFirst);
}

// What arrives in front of the reader's eyes is about to be marked read.
const isBeingRead = ({ id }) =>
  id === openId && !document.hidden && document.hasFocus() && readsAlong();

function decorate(found, stop = "") {
  const userId = ownUserId();
  const typists = people.typistsOf(found.id);
  return {
    ...found,
    unread: isBeingRead(found) ? 0 : markers.unreadOf(found),
    is_open: found.id === openId,
    path: filters.conversationPath(found.id),
    tab_stop: found.id === stop,
    salutation: salutation(found.patient_name, found.patient_phone),
    name_hits: hitsIn(found.patient_name, found.patient_search, views.get().terms),
    initials: initials(found.patient_name),
    hue: hue(found.patient_id),
    // Colleagues know each other by first name; a label such as "Doctor 2" stays whole.
    preview_author: found.preview_author_id
      ? people.firstName(found.preview_author)
      : found.preview_author,
    preview_mine: found.preview_author_id !== "" && found.preview_author_id === userId,
    assigned_to_me: found.assignee_id !== "" && found.assignee_id === userId,
    typing: typists[0] ?? "",
    typing_count: typists.length,
  };
}

function vars() {
  const { who, status, unread } = filters.get();
  const { rows, news } = order.arrange(shown(), item, newestFirst);
  const stop = [focused, openId].find((id) => rows.some((found) => found.id === id)) ?? rows[0]?.id;
  const unreadCount = counts.count({ unread: true });
  safely(showUnread, unreadCount);
  const staff = people.colleagues().map((person) => ({
    ...person,
    initials: initials(person.name),
    hue: hue(person.id),
    is_me: person.id === ownUserId(),
  }));
  return {
    conversations: rows.map((found) => decorate(found, stop)),
    news,
    who,
    status,
    unread,
    search: views.get().search,
    is_filtered: who !== "all" || status !== "" || unread,
    filter_query: filters.asQuery(),
    ready: feed.ready,
    refused,
    cursor: views.cursor(),
    loading_more: views.isLoading(),
    count_all: counts.count({ status, unread }),
    count_mine: counts.count({ who: "mine", status, unread }),
    count_unassigned: counts.count({ who: "unassigned", status, unread }),
    count_unread: unreadCount,
    staff,
    online_count: staff.filter(({ online }) => online).length,
  };
}

/** The id of the first conversation that matches, "" for none. */
export const first = () => shown()[0]?.id ?? "";

/** Note the row that has the keyboard's focus, "" for none. */
export function focusOn(conversationId) {
  if (focused === conversationId) return;
  focused = conversationId;
  invalidate(stateName);
}

registerFeed(INBOX_FEED, {
  receive,
  wanted: () => ({ key: INBOX_KEY }),
  held: () => feed.held,
  upTo(version) {
    if (refused) return true;
    if (feed.ready && feed.version < version) feed.repair();
    return feed.ready && feed.version >= version;
  },
});
order.onSettled(() => invalidate(stateName));
views.onChange(update);
filters.onChange(() => invalidate(stateName));
if (typeof window !== "undefined") {
  // Whether somebody looks decides whether the open conversation has unread messages.
  for (const event of ["focus", "blur"]) window.addEventListener(event, update);
  document.addEventListener("visibilitychange", update);
}
people.onChange(() => invalidate(stateName));
counts.onChange(() => invalidate(stateName));
