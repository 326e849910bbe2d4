// Menus. Their library is a seventh of all code and needed by nothing that shows at once, so it is
// loaded when the page is live, and until its first press a menu is its button alone.

import {
  cloneElement,
  createContext,
  createElement,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";

import { connection } from "$/public/live/connection.js";
import { notice } from "$/public/live/notices.js";

const CONNECTED = ["live", "polling"];
const AWAY = ["offline", "waiting"];
// So long after the page is live, nothing that shows has to wait for it any more.
const PRELOAD_MS = 3000;
// Who has waited that long does something else, which a menu would be in the way of.
const GIVE_UP_MS = 3000;
const OPENING_KEYS = ["Enter", " ", "ArrowDown"];
const FIRST_ITEM = "[role=menuitem]:not([data-disabled])";

let library = null;
let loading = null;
let failures = 0;

function load() {
  loading ??= import("@radix-ui/react-dropdown-menu").then(
    (module) => {
      library = module;
    },
    (error) => {
      loading = null;
      failures += 1;
      throw error;
    },
  );
  return loading;
}

const is = (statuses) => statuses.includes(connection.get().status);

// If it fails, the press that needs it will say so. Not while there is no connection: many
// browsers take a file that did not load once for one that is not there.
function preload() {
  if (is(CONNECTED)) load().catch(() => {});
}

function preloadOnceLive() {
  if (is(CONNECTED)) {
    window.setTimeout(() => (is(CONNECTED) ? preload() : preloadOnceLive()), PRELOAD_MS);
    return;
  }
  const stop = connection.subscribe(() => {
    if (!is(CONNECTED)) return;
    stop();
    preloadOnceLive();
  });
}

if (typeof window !== "undefined") preloadOnceLive();

function refuse() {
  // See `preload`. What was written is kept over this.
  if (failures > 1 && is(CONNECTED)) window.location.reload();
  else notice("offline");
}

// What was chosen is done when the menu is gone and its button has the focus again, so that a
// dialog that it opens can be seen, and gives the focus back to the button.
const Choice = createContext(null);

/** A button, the first child, and the items that it opens. */
export function Menu({ children }) {
  const [button, ...items] = children;
  // closed, waiting for the library, or open
  const [state, setState] = useState("closed");
  const [ready, setReady] = useState(false);
  const byKey = useRef(false);
  const choice = useRef(null);

  useEffect(() => {
    if (state !== "waiting") return undefined;
    let waits = true;
    const open = () => {
      if (!waits) return;
      setReady(true);
      setState("open");
    };
    const fail = () => {
      if (!waits) return;
      setState("closed");
      refuse();
    };
    const giveUp = () => setState("closed");
    load().then(open, fail);
    const timer = window.setTimeout(fail, GIVE_UP_MS);
    document.addEventListener("pointerdown", giveUp, true);
    document.addEventListener("keydown", giveUp, true);
    return () => {
      waits = false;
      window.clearTimeout(timer);
      document.removeEventListener("pointerdown", giveUp, true);
      document.removeEventListener("keydown", giveUp, true);
    };
  }, [state]);

  const toggle = (key) => {
    byKey.current = key;
    if (state === "open") setState("closed");
    else if (library) {
      setReady(true);
      setState("open");
    } else if (is(AWAY)) notice("offline");
    else setState("waiting");
  };
  const trigger = cloneElement(button, {
    "aria-busy": state === "waiting" || undefined,
    onPointerEnter: preload,
    onFocus: preload,
    // A click is what every way to press a button ends in, with a screen reader too.
    onClick: () => toggle(false),
    onPointerDown(event) {
      event.preventDefault();
    },
    onKeyDown(event) {
      if (!OPENING_KEYS.includes(event.key)) return;
      event.preventDefault();
      if (!event.repeat) toggle(true);
    },
  });
  if (!ready) {
    return cloneElement(trigger, {
      "aria-haspopup": "menu",
      "aria-expanded": false,
      "data-state": "closed",
    });
  }
  return createElement(
    library.Root,
    { open: state === "open", onOpenChange: (open) => setState(open ? "open" : "closed") },
    createElement(library.Trigger, { asChild: true }, trigger),
    createElement(
      library.Portal,
      null,
      createElement(
        library.Content,
        {
          align: "end",
          sideOffset: 4,
          collisionPadding: 10,
          className: "menu",
          onOpenAutoFocus(event) {
            if (!byKey.current) return;
            event.preventDefault();
            event.currentTarget.querySelector(FIRST_ITEM)?.focus();
          },
          onCloseAutoFocus() {
            const act = choice.current;
            choice.current = null;
            // After the library, which is told next, gave the focus back.
            if (act) queueMicrotask(act);
          },
        },
        createElement(Choice.Provider, { value: choice }, ...items),
      ),
    ),
  );
}

export function MenuItem({ onSelect, ...props }) {
  const choice = useContext(Choice);
  return createElement(library.Item, {
    ...props,
    className: "menu-item",
    onSelect() {
      choice.current = onSelect;
    },
  });
}

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
