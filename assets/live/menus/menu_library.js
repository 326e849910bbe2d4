// The library that draws open menus. It is a seventh of all code and needed by nothing that shows
// at once, so it is loaded when the page is live.

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

/** Whether nothing can be loaded now. At first, a page neither is connected nor is it away. */
export const isAway = () => is(AWAY);

/** A promise of the library being there. A failed try may be made again. */
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
 * Load it for later; if it fails, the press that needs it will say so. Not while there is no
 * connection: many browsers take a file that did not load once for one that is not there.
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
