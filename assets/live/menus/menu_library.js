// Menu library: draws open menus. It is a seventh of all code, and nothing that shows at once
// needs it, so it is loaded when the page is live.

import { connection } from "../connection/connection.js";

const CONNECTED = ["live", "polling"];
const AWAY = ["offline", "waiting"];
// So long after the page is live, nothing that shows has to wait for it any more.
const PRELOAD_MS = 3000;

/** The library, null until it is loaded. */
export let library = null;
let loading = null;

const is = (statuses) => statuses.includes(connection.get().status);

export const isConnected = () => is(CONNECTED);

/** Whether nothing can be loaded now; false also before the first connection. */
export const isAway = () => is(AWAY);

/** Load the library; the promise resolves when it is there. A failed load may be tried again. */
export function load() {
  loading ??= import("@radix-ui/react-dropdown-menu").then(
    (module) => {
      library = module;
    },
    (error) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

/**
 * Load it in advance; a failure shows only when a press needs it. Without a connection it does
 * nothing, because many browsers remember a file that did not load as missing.
 */
export function preload() {
  if (isConnected()) load().catch(() => {});
}

function preloadOnceLive() {
  if (isConnected()) {
    window.setTimeout(() => (isConnected() ? preload() : preloadOnceLive()), PRELOAD_MS);
    return;
  }
  const stop = connection.subscribe(() => {
    if (!isConnected()) return;
    stop();
    preloadOnceLive();
  });
}

if (typeof window !== "undefined") preloadOnceLive();
