// Whose tab this is: the person and clinic that the server names when the socket connects
// (clinic_chat/realtime/identity.py). It stays theirs for as long as the page lives, whoever
// signs in meanwhile in another tab; nothing is sent for anybody else.

import { createStore } from "../lib/store.js";

/** `author` as commands name it, "" before it is known; `key` seals what waits in storage. */
export const identity = createStore({ author: "", key: null });

/** Take what the server says; false when this tab is another author's. */
export function recognise({ author, key }) {
  const { author: mine } = identity.get();
  if (mine && mine !== author) return false;
  if (!mine) identity.set({ author, key: Uint8Array.from(atob(key), (c) => c.charCodeAt(0)) });
  return true;
}
