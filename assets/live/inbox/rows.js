// List rows: the scrolling list of conversations. It is one Tab stop, the arrow keys move through
// its rows, and its order is held while somebody aims at it.

import { createElement, useEffect, useRef } from "react";

import { shifted } from "./aim.js";
import { focusComposer } from "../navigation/focus.js";
import { conversationPath } from "../navigation/filters.js";
import * as inbox from "./inbox.js";
import * as order from "./order.js";
import { goTo } from "../navigation/router.js";

const ROW = "[data-testid=conversation-row]";
const LINK = `${ROW} a`;
const NEWS = ".conversation-list-news";
// Fingers give no sign before they touch: for so long a tap means the row that was there.
const REACTION_MS = 500;
const TOUCHED_MS = 2000;

const rowOf = (target) => target?.closest?.(ROW);

/** The list's scrolling area. */
export const area = () => document.querySelector("[data-testid=conversation-list]");

/** Show the news that arrived while the order was held, and scroll to the top. */
export function showNews() {
  if (document.activeElement?.matches(NEWS)) focusFirstRowWhenShown();
  order.settle();
  area()?.scrollTo({ top: 0 });
}

// What was pressed is gone when the order has settled, and its focus must not be lost with it.
function focusFirstRowWhenShown() {
  const held = area().parentElement;
  new MutationObserver((_, observer) => {
    if (held.querySelector(NEWS)) return;
    observer.disconnect();
    if (document.activeElement === document.body) held.querySelector(LINK)?.focus();
  }).observe(held, { childList: true });
}

/** Focus the row that is the list's Tab stop; returns whether there is one. */
export function focusRows() {
  const link = area()?.querySelector(`${LINK}[tabindex="0"]`) ?? area()?.querySelector(LINK);
  link?.focus();
  return Boolean(link);
}

/** The list: its first child is the button for news, the others are the rows. */
export function ConversationRows({ children }) {
  const [news, ...rows] = children;
  const held = useRef(null);
  const list = useRef(null);
  const touch = useRef({ meant: undefined, timer: null });

  useEffect(() => {
    order.onMoving(() => {
      shifted();
      remember(list.current);
    });
    return () => order.onMoving(() => {});
  }, []);

  const onPointer = ({ pointerType }) => {
    if (pointerType !== "touch") order.hold("pointer");
  };
  const onPointerLeave = ({ pointerType }) => {
    if (pointerType !== "touch") order.release("pointer");
  };

  const onFocus = ({ target }) => {
    const id = rowOf(target)?.dataset.id;
    if (id) inbox.focusOn(id);
    if (target.matches(":focus-visible")) order.hold("keyboard");
  };
  const onBlur = ({ relatedTarget }) => {
    if (held.current.contains(relatedTarget)) return;
    // To nowhere: the window is left, or the row is put to another place.
    if (relatedTarget) inbox.focusOn("");
    order.release("keyboard");
  };

  const onPointerDown = ({ pointerType, clientY }) => {
    touch.current.meant = pointerType === "touch" ? wasAt(clientY) : undefined;
  };
  const onTouch = () => {
    window.clearTimeout(touch.current.timer);
    order.hold("touch");
  };
  const onTouchEnd = () => {
    onTouch();
    touch.current.timer = window.setTimeout(() => order.release("touch"), TOUCHED_MS);
  };

  const onKeyDown = (event) => {
    const links = [...list.current.querySelectorAll(LINK)];
    const at = links.indexOf(event.target);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    order.hold("keyboard");
    if (event.key === " ") event.target.click();
    else if (event.key === "ArrowUp" && at === 0) document.getElementById("search")?.focus();
    else {
      const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
      if (next === undefined) return;
      links[Math.min(next, links.length - 1)].focus();
    }
    event.preventDefault();
  };

  const onClickCapture = (event) => {
    const { meant } = touch.current;
    touch.current.meant = undefined;
    const row = rowOf(event.target);
    if (meant && meant !== row?.dataset.id && inbox.item(meant)) {
      event.preventDefault();
      event.stopPropagation();
      goTo(conversationPath(meant));
    } else if (row?.dataset.open === "true" && isPlain(event)) {
      event.preventDefault();
      focusComposer();
    }
  };

  // Who goes from the rows to what says what is new still aims at the list.
  return createElement(
    "div",
    {
      ref: held,
      className: "conversation-list-area",
      onPointerOver: onPointer,
      onPointerMove: onPointer,
      onPointerLeave,
      onFocus,
      onBlur,
    },
    createElement(
      "div",
      {
        ref: list,
        className: "conversation-list-scroll",
        "data-testid": "conversation-list",
        "data-scrolls": "true",
        onPointerDown,
        onTouchStart: onTouch,
        onTouchMove: onTouch,
        onTouchEnd,
        onTouchCancel: onTouchEnd,
        onKeyDown,
        onClickCapture,
      },
      ...rows,
    ),
    news,
  );
}

const isPlain = ({ button, ctrlKey, metaKey, shiftKey, altKey }) =>
  button === 0 && !ctrlKey && !metaKey && !shiftKey && !altKey;

let places = [];

// Where the rows in view are, before others take their places.
function remember(list) {
  const now = performance.now();
  places = places.filter(({ at }) => now - at < REACTION_MS);
  if (!list || !window.matchMedia("(any-pointer: coarse)").matches) return;
  places.push({ at: now, rows: inView(list) });
}

/** The id of the row at this height half a second ago, if the rows have moved since then. */
function wasAt(y) {
  const now = performance.now();
  const then = places.find(({ at }) => now - at < REACTION_MS);
  return then?.rows.find(({ top, bottom }) => top <= y && y < bottom)?.id;
}

function inView(list) {
  const { top, bottom } = list.getBoundingClientRect();
  const rows = [...list.querySelectorAll(ROW)];
  const found = [];
  for (let at = firstBelow(rows, top); at < rows.length; at += 1) {
    const place = rows[at].getBoundingClientRect();
    if (place.top >= bottom) break;
    found.push({ id: rows[at].dataset.id, top: place.top, bottom: place.bottom });
  }
  return found;
}

function firstBelow(rows, top) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].getBoundingClientRect().bottom > top) high = middle;
    else low = middle + 1;
  }
  return low;
}
