// Tab identity: the person and clinic that the server names when the socket connects
// (clinic_chat/realtime/identity.py). They stay the tab's for as long as the page lives, also when
// another person signs in meanwhile in another tab; nothing is sent for anybody else.

import { createStore } from "../lib/store.js";

/** `author` as in commands, "" until it is known; `key` encrypts unsent data in storage. */
export const identity = createStore({ author: "", key: null });

/** The id of the person signed in, "" until the server has told it. */
export const ownUserId = () => identity.get().author.split(":", 1)[0];

/** Take the identity from the server; returns false when this tab is another author's. */
export function recognise({ author, key }) {
  const { author: mine } = identity.get();
  if (mine && mine !== author) return false;
  if (!mine) identity.set({ author, key: Uint8Array.from(atob(key), (c) => c.charCodeAt(0)) });
  return true;
}
