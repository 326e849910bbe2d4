// Menus. Their library is a seventh of all code and needed by nothing that shows at once, so
// until the first press a menu is its button alone.

import { cloneElement, createElement, useEffect, useRef, useState } from "react";

import { connection } from "$/public/live/connection.js";
import { notice } from "$/public/live/notices.js";

const CONNECTED = ["live", "polling"];
// So long after the page is live, nothing that shows has to wait for it any more.
const PRELOAD_MS = 3000;
const OPENING_KEYS = ["Enter", " ", "ArrowDown"];

let library = null;
let loading = null;

function load() {
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

// Whether it is there by the first press or has to be loaded then is seen at that press.
const preload = () => load().catch(() => {});

function preloadOnceLive() {
  const stop = connection.subscribe(({ status }) => {
    if (!CONNECTED.includes(status)) return;
    stop();
    window.setTimeout(() => {
      if (CONNECTED.includes(connection.get().status)) preload();
      else preloadOnceLive();
    }, PRELOAD_MS);
  });
}

if (typeof window !== "undefined") preloadOnceLive();

/** A button, the first child, and what its press opens. */
export function Menu({ children }) {
  const [button, ...items] = children;
  const [press, setPress] = useState(null);
  const place = useRef(null);

  // Given on to the library's button, which decides by it what is opened and focused.
  useEffect(() => {
    if (press) place.current.dispatchEvent(press);
  }, [press]);

  if (press) {
    return createElement(
      library.Root,
      null,
      createElement(library.Trigger, { asChild: true, ref: place }, button),
      createElement(
        library.Portal,
        null,
        createElement(
          library.Content,
          { align: "end", sideOffset: 4, collisionPadding: 10, className: "menu" },
          ...items,
        ),
      ),
    );
  }

  const open = (event) => {
    event.preventDefault();
    const { type, key, pointerType } = event;
    const init = { bubbles: true, cancelable: true, button: 0, key, pointerType };
    const Press = type === "keydown" ? KeyboardEvent : PointerEvent;
    load().then(
      () => setPress(new Press(type, init)),
      () => notice("offline"),
    );
  };
  return cloneElement(button, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    "data-state": "closed",
    onPointerEnter: preload,
    onFocus: preload,
    onPointerDown(event) {
      if (event.button === 0 && !event.ctrlKey) open(event);
    },
    onKeyDown(event) {
      if (OPENING_KEYS.includes(event.key)) open(event);
    },
  });
}

export const MenuItem = (props) => createElement(library.Item, { ...props, className: "menu-item" });

export const MenuSeparator = () =>
  createElement(library.Separator, { className: "menu-separator" });

/** An item, the first child what it says, and the items that it opens beside it. */
export function SubMenu({ children }) {
  const [label, ...items] = children;
  return createElement(
    library.Sub,
    null,
    createElement(library.SubTrigger, { className: "menu-item" }, label),
    createElement(
      library.Portal,
      null,
      createElement(
        library.SubContent,
        { sideOffset: 2, alignOffset: -6, collisionPadding: 10, className: "menu" },
        ...items,
      ),
    ),
  );
}
