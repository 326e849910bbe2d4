// Menus: until the library is loaded, a menu is its button alone; the first press may wait for it.

import {
  cloneElement,
  createContext,
  createElement,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";

import { isAway, isConnected, library, load, preload } from "./menu_library.js";
import { notice } from "../components/notices.js";

// Who has waited that long does something else, which a menu would be in the way of.
const GIVE_UP_MS = 3500;
// What is pressed together with other keys, or, like Control, to silence a screen reader.
const MODIFIERS = ["Alt", "CapsLock", "Control", "Meta", "Shift"];
const PRESSING_KEYS = ["Enter", " "];
const OPENING_KEYS = [...PRESSING_KEYS, "ArrowDown"];
const FIRST_ITEM = "[role^=menuitem]:not([data-disabled])";

const refuse = (code) => notice(isConnected() ? code : "offline");

// A press that closes a menu is not meant for what lies under it, which is clicked when the finger
// or the button is lifted.
function swallowClick() {
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
    stop();
  };
  const stop = () => {
    document.removeEventListener("click", swallow, true);
    document.removeEventListener("pointerdown", stop, true);
  };
  document.addEventListener("click", swallow, true);
  document.addEventListener("pointerdown", stop, true);
}

// What was chosen is done when the menu is gone and its button has the focus again, so that a
// dialog that it opens can be seen, and gives the focus back to the button.
const Choice = createContext(null);

/** A button, the first child, and the menu's items. */
export function Menu({ children }) {
  const [button, ...items] = children;
  // closed, waiting for the library, or open
  const [state, setState] = useState("closed");
  const [ready, setReady] = useState(false);
  const byKey = useRef(false);
  const choice = useRef(null);
  const show = () => {
    setReady(true);
    setState("open");
  };

  useEffect(() => {
    if (state !== "waiting") return undefined;
    let waits = true;
    const giveUp = () => setState("closed");
    const fail = (code) => {
      if (!waits) return;
      giveUp();
      refuse(code);
    };
    const onKey = ({ key, repeat }) => {
      if (!repeat && !MODIFIERS.includes(key)) giveUp();
    };
    load().then(
      () => waits && show(),
      () => fail("not_loaded"),
    );
    const timer = window.setTimeout(() => fail("slow"), GIVE_UP_MS);
    document.addEventListener("pointerdown", giveUp, true);
    document.addEventListener("keydown", onKey, true);
    return () => {
      waits = false;
      window.clearTimeout(timer);
      document.removeEventListener("pointerdown", giveUp, true);
      document.removeEventListener("keydown", onKey, true);
    };
  }, [state]);

  const toggle = (key) => {
    byKey.current = key;
    if (state === "open") setState("closed");
    else if (library) show();
    else if (isAway()) refuse("offline");
    else setState("waiting");
  };
  const trigger = cloneElement(button, {
    "aria-busy": state === "waiting" || undefined,
    onPointerEnter: preload,
    onFocus: preload,
    // A click is what every way to press a button ends in, with a screen reader too.
    onClick: () => toggle(false),
    // The library would open its menu at this already, and the click would close it.
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
    {
      // A modal one styles the whole page anew twice, which takes longer than all the rest.
      modal: false,
      open: state === "open",
      onOpenChange: (open) => setState(open ? "open" : "closed"),
    },
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
            const menu = event.currentTarget;
            (menu.querySelector(FIRST_ITEM) ?? menu).focus({ preventScroll: true });
          },
          onPointerDownOutside: swallowClick,
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

/** A menu item; with `role` one of several choices, or a switch, with its state in `checked`. */
export function MenuItem({ onSelect, ...props }) {
  const choice = useContext(Choice);
  return createElement(props.role ? library.CheckboxItem : library.Item, {
    ...props,
    className: "menu-item",
    onSelect() {
      choice.current = onSelect;
    },
    // The key that opened the menu, held too long, would choose what then has the focus.
    onKeyDown(event) {
      if (event.repeat && PRESSING_KEYS.includes(event.key)) event.preventDefault();
    },
  });
}

export const MenuSeparator = () =>
  createElement(library.Separator, { className: "menu-separator" });

/** An item, with its label as the first child, and the items that it opens beside it. */
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
