// List filters in the page's address (`?who=mine&status=open&unread=1`), so that a reload, a
// bookmark and a second tab show the same. The search is not in it: patients' names must not get
// into histories and logs.

import { STATUSES } from "$/utils/constants.js";
import { goTo } from "./router.js";
import { tellAll } from "../lib/safely.js";

const NAMES = ["who", "status", "unread"];
const WHOSE = ["mine", "unassigned"];

const listeners = new Set();
let chosen = { who: "all", status: "", unread: false };
let query = "";

/** Call `listener` when the filters of the address change. */
export const onChange = (listener) => listeners.add(listener);

/** The filters of the address. */
export const get = () => chosen;

/** The filters as the query of an address, beginning with "?", or "" for none. */
export const asQuery = () => query;

/** Read the filters from an address's query. */
export function readAddress(search) {
  const given = new URLSearchParams(search);
  const known = (name, values) => (values.includes(given.get(name)) ? given.get(name) : "");
  const next = {
    who: known("who", WHOSE) || "all",
    status: known("status", STATUSES),
    unread: given.get("unread") === "1",
  };
  if (NAMES.every((name) => next[name] === chosen[name])) return;
  chosen = next;
  query = withFilters("", chosen);
  tellAll(listeners);
}

/** Change filters; the new address replaces the current one in the history. */
export function choose(changes) {
  const { pathname, search } = window.location;
  goTo(pathname + withFilters(search, { ...chosen, ...changes }), { replace: true });
}

export const chooseWho = (who) => choose({ who });
export const chooseStatus = ({ target }) => choose({ status: target.value });
export const toggleUnread = () => choose({ unread: !chosen.unread });
export const clear = () => choose({ who: "all", status: "", unread: false });

/** The address of the list alone, with the filters. */
export const listPath = () => `/${query}`;

/** The address of a conversation with the filters, and of a message in it by its number. */
export const conversationPath = (conversationId, seq = 0) =>
  `/c/${conversationId}${seq > 0 ? withFilters(`m=${seq}`, chosen) : query}`;

function withFilters(search, { who, status, unread }) {
  const params = new URLSearchParams(search);
  for (const name of NAMES) params.delete(name);
  if (who !== "all") params.set("who", who);
  if (status) params.set("status", status);
  if (unread) params.set("unread", "1");
  const text = `${params}`;
  return text && `?${text}`;
}
