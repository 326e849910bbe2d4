// Store: a value with listeners that React components read through useSyncExternalStore.

import { useSyncExternalStore } from "react";

import { tellAll } from "./safely.js";

export function createStore(initial) {
  let value = initial;
  const listeners = new Set();
  const store = {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      tellAll(listeners, value);
    },
    update: (changes) => store.set({ ...value, ...changes }),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    use: () => useSyncExternalStore(store.subscribe, store.get, () => initial),
  };
  return store;
}
