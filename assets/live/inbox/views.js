// Views of the list: the conversations that match the address's filters and the search. The server
// answers each view with a page; later changes come with the feed's patches.

import { INBOX_FEED, INBOX_KEY } from "$/utils/constants.js";
import { identity } from "../connection/identity.js";
import { request, isConnected } from "../connection/request.js";
import { Pager } from "../feeds/pager.js";
import { session } from "../lib/storage.js";
import { createStore } from "../lib/store.js";
import { tellAll } from "../lib/safely.js";
import * as filters from "../navigation/filters.js";
import * as sealed from "../outbox/sealed_storage.js";
import * as order from "./order.js";
import { NO_TERMS } from "./search.js";

const ASK_AGAIN_MS = 2000;
// The server's codes for what is no view, however often it is asked for.
const NO_VIEW = ["search_too_long", "filter_invalid"];
const EVERYTHING = { search: "", who: "all", status: "", unread: false, terms: NO_TERMS };

/** The text of the search. It survives a reload, in this tab and for this person alone. */
export const search = createStore("");

const listeners = new Set();
// What has been loaded of each view: rows are shown down to the last one loaded in order, because
// a search or a deep link loads others out of order.
const loaded = new Map();
let shown = EVERYTHING;
let number = 0;
let answered = 0;

const ask = (query, byItself = false) =>
  request("feed:page", { feed: INBOX_FEED, key: INBOX_KEY, query, byItself });
const pages = new Pager({ ask, changed });

function changed() {
  tellAll(listeners);
}

/** Call `listener` when another view is shown, or starts to load. */
export const onChange = (listener) => listeners.add(listener);

/** The current view: the filters, the search and its `terms`. */
export const get = () => shown;

/** Whether the list shows the view that this person asked for. */
export const isSettled = () => number === answered;

/** The last row of the view that is loaded in order; null when all are. */
export const end = () => loaded.get(keyOf(shown))?.end ?? null;

/** The cursor of the view's next page, "" if there is none. */
export const cursor = () => loaded.get(keyOf(shown))?.cursor ?? "";

export const isLoading = () => pages.isLoading("end");

/** Request the next page of the current view. */
export function loadMore() {
  const { terms: _, ...query } = shown;
  if (cursor()) pages.load("end", { ...query, cursor: cursor() });
}

/** Show the conversations whose patient's name or phone number matches. */
export function searchFor(text) {
  search.set(text);
  if (text) sealed.keep(keptName(), text, session);
  else sealed.forget(keptName(), session);
  update();
}

/** Forget the search, which the next person in this tab must not find. */
export const forgetSearch = () => sealed.forget(keptName(), session);

/** Begin anew after a snapshot, which lacks the pages that were loaded further down. */
export function begin(message) {
  loaded.clear();
  remember(keyOf(EVERYTHING), message);
  update({ byItself: true });
}

/** Request the wanted view once more after an outage, if it is not shown. */
export function resume() {
  if (!isSettled()) update({ byItself: true });
}

/** Take a requested page. */
export function takePage(message) {
  const key = keyOf(message.view);
  if (message.more || !loaded.has(key)) remember(key, message);
  if (message.more || message.number !== number) return;
  show(message.view);
}

// The rows that are here are shown at once where no words of the server are needed to find them.
async function update({ byItself = false } = {}) {
  const wanted = { ...filters.get(), search: search.get().trim() };
  number += 1;
  const asked = number;
  if (!isConnected()) {
    look({ ...shown, ...filters.get() });
    return;
  }
  if (keyOf(wanted) === keyOf(EVERYTHING)) {
    show(EVERYTHING);
    return;
  }
  if (loaded.has(keyOf(wanted)) && !wanted.search) look({ ...wanted, terms: NO_TERMS });
  const { error } = await ask({ ...wanted, number }, byItself);
  if (!error || asked !== number || NO_VIEW.includes(error.code)) return;
  window.setTimeout(() => asked === number && update({ byItself }), ASK_AGAIN_MS);
}

function show(view) {
  answered = number;
  look(view);
}

function look(view) {
  if (keyOf(view) !== keyOf(shown)) order.settle();
  shown = view;
  changed();
}

function remember(key, { items, cursor: next }) {
  loaded.set(key, { cursor: next, end: next ? items.at(-1) : null });
}

const keyOf = (view) => JSON.stringify([view.search, view.who, view.status, view.unread]);

const keptName = () => `clinic-chat:search:${identity.get().author}`;

filters.onChange(() => update());
// The server names whose tab this is before anything else.
identity.subscribe(() => {
  if (search.get()) return;
  const kept = sealed.read(keptName(), session);
  if (typeof kept === "string") search.set(kept);
});
