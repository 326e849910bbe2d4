// Presence of colleagues: online, typing, and viewing the open conversation.

import { TYPING_EXPIRES_MS } from "$/utils/constants.js";
import { ownUserId } from "../connection/identity.js";
import { notify } from "../connection/request.js";
import { tellAll } from "../lib/safely.js";

let staff = [];
let online = new Set();
// conversation → user → {name, timer}
const typing = new Map();
let viewing = { conversationId: "", people: new Map() };
const listeners = new Set();

export const onChange = (listener) => listeners.add(listener);

const tellListeners = () => tellAll(listeners);

/** Take the presence that comes with the list: all colleagues, and those online and typing. */
export function begin(message) {
  if (!message.staff) return;
  staff = message.staff;
  online = new Set(message.online);
  for (const conversationId of [...typing.keys()]) clear(conversationId);
  for (const event of message.typing) startTyping(event);
  tellListeners();
}

/** Handlers of this module's socket events, by name. */
export const events = {
  "user:online": ({ userId, userName }) => {
    online.add(userId);
    if (!staff.some(({ id }) => id === userId)) staff = [...staff, { id: userId, name: userName }];
    tellListeners();
  },
  "user:offline": ({ userId }) => {
    online.delete(userId);
    tellListeners();
  },
  "typing:start": (event) => {
    startTyping(event);
    tellListeners();
  },
  "typing:stop": ({ conversationId, userId }) => stopTyping(conversationId, userId),
  "viewing:start": ({ conversationId, userId, userName }) => {
    if (conversationId !== viewing.conversationId) return;
    viewing.people.set(userId, userName);
    tellListeners();
  },
  "viewing:stop": ({ conversationId, userId }) => {
    if (conversationId !== viewing.conversationId) return;
    viewing.people.delete(userId);
    tellListeners();
  },
};

/** Show the viewers of the opened conversation, and announce this tab as one. */
export function join(conversationId, viewers) {
  viewing = {
    conversationId,
    people: new Map(viewers.map(({ userId, userName }) => [userId, userName])),
  };
  look();
  tellListeners();
}

export function leave() {
  viewing = { conversationId: "", people: new Map() };
}

/** Tell colleagues whether a person sees this tab's conversation. */
export function look() {
  if (!viewing.conversationId) return;
  const { conversationId } = viewing;
  notify(document.hidden ? "viewing:stop" : "viewing:start", { conversationId });
}

/** Note that somebody has stopped typing: they said so, or their message arrived. */
export function stopTyping(conversationId, userId) {
  const typists = typing.get(conversationId);
  const typist = typists?.get(userId);
  if (!typist) return;
  window.clearTimeout(typist.timer);
  typists.delete(userId);
  if (typists.size === 0) typing.delete(conversationId);
  tellListeners();
}

/** The first names of the people typing in a conversation, for its list row. */
export function typistsOf(conversationId) {
  return [...(typing.get(conversationId)?.values() ?? [])].map(({ name }) => firstName(name));
}

/** The people vars of the Thread state. */
export function varsOf(conversationId) {
  const typists = typistsOf(conversationId);
  const viewers = [...viewing.people]
    .filter(([userId]) => userId !== ownUserId())
    .map(([, name]) => firstName(name));
  return {
    typist_count: typists.length,
    typist_first: typists[0] ?? "",
    typist_second: typists[1] ?? "",
    viewer_count: viewers.length,
    viewer_first: viewers[0] ?? "",
    viewer_second: viewers[1] ?? "",
  };
}

/** Everyone in the clinic by name, in the server's order, online ones first. */
export function colleagues() {
  return staff
    .map(({ id, name }) => ({ id, name, online: online.has(id) }))
    .sort((a, b) => b.online - a.online);
}

function startTyping({ conversationId, userId, userName }) {
  if (userId === ownUserId()) return;
  const typists = typing.get(conversationId) ?? new Map();
  typing.set(conversationId, typists);
  window.clearTimeout(typists.get(userId)?.timer);
  // A lost stop must not leave anybody typing for ever.
  const timer = window.setTimeout(() => stopTyping(conversationId, userId), TYPING_EXPIRES_MS);
  typists.set(userId, { name: userName, timer });
}

function clear(conversationId) {
  for (const { timer } of typing.get(conversationId).values()) window.clearTimeout(timer);
  typing.delete(conversationId);
}

export const firstName = (name) => name.split(" ")[0];

if (typeof document !== "undefined") document.addEventListener("visibilitychange", look);
