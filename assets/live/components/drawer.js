// Drawer: the patient's panel as a modal dialog, for windows without room for it beside the thread.
// Escape, a press beside it and Back close it (on a phone, Back closes an overlay), and the focus
// returns.

import { createElement, useEffect, useRef } from "react";
import { useLocation } from "react-router";

import { createStore } from "../lib/store.js";

const NARROW = "(max-width: 1120px)";
const inBrowser = typeof window !== "undefined";

/** Whether the drawer is open. */
export const drawer = createStore(false);

// The entry has the router's own state, so that Back leads it to where it is already.
export function openDrawer() {
  if (drawer.get()) return;
  window.history.pushState({ ...window.history.state, drawer: true }, "");
  drawer.set(true);
}

export function closeDrawer() {
  if (!drawer.get()) return;
  drawer.set(false);
  if (window.history.state?.drawer) window.history.back();
}

/** `children` in a dialog at the screen's edge while the drawer is open. */
export function Drawer({ label, children }) {
  const dialog = useRef(null);
  const open = drawer.use();
  const { pathname } = useLocation();

  useEffect(() => {
    if (!open) return undefined;
    const element = dialog.current;
    element.showModal();
    return () => element.close();
  }, [open]);

  // What another conversation opens under must not be the last one's patient.
  useEffect(() => () => drawer.set(false), [pathname]);

  return createElement(
    "dialog",
    {
      ref: dialog,
      className: "drawer",
      "aria-label": label,
      onCancel(event) {
        event.preventDefault();
        closeDrawer();
      },
      // Some ways to close a dialog do not ask.
      onClose: open ? closeDrawer : undefined,
      onClick({ target }) {
        if (target === dialog.current) closeDrawer();
      },
    },
    open ? children : null,
  );
}

if (inBrowser) {
  window.addEventListener("popstate", () => drawer.set(false));
  // In a window that has become wide the panel stands beside the thread.
  window.matchMedia(NARROW).addEventListener("change", ({ matches }) => {
    if (!matches) closeDrawer();
  });
}
