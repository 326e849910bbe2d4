// Search box: Enter opens the first hit, the down arrow goes to the rows, Escape clears it.

import { createElement, useEffect, useLayoutEffect, useRef } from "react";

import { SEARCH_LIMIT } from "$/utils/constants.js";
import { conversationPath } from "../navigation/filters.js";
import * as inbox from "./inbox.js";
import { goTo } from "../navigation/router.js";
import { focusRows } from "./rows.js";
import * as views from "./views.js";

const AFTER_MS = 150;

const useBeforePaint = typeof window === "undefined" ? useEffect : useLayoutEffect;

let empty = () => {};

/** Clear the search and show all conversations that match the filters. */
export const clearSearch = () => empty();

export function SearchBox({ label }) {
  const value = views.search.use();
  const box = useRef(null);
  const timer = useRef(null);
  const typed = useRef(false);
  // What Enter was pressed for before its hits were there.
  const awaited = useRef(false);

  const searchNow = () => {
    window.clearTimeout(timer.current);
    timer.current = null;
    views.searchFor(box.current.value);
  };

  const openFirst = () => {
    if (!awaited.current || !views.isSettled()) return;
    awaited.current = false;
    const id = inbox.first();
    if (!id) return;
    // The message box takes the focus only from what nobody types into.
    box.current.blur();
    goTo(conversationPath(id));
  };

  // The list of before a reload: the box says what filters it.
  useBeforePaint(() => {
    if (!typed.current) box.current.value = value;
  }, [value]);

  useEffect(() => {
    const stop = inbox.onChange(openFirst);
    empty = () => {
      typed.current = true;
      box.current.value = "";
      box.current.focus();
      searchNow();
    };
    return () => {
      stop();
      empty = () => {};
    };
  });
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const onInput = () => {
    typed.current = true;
    awaited.current = false;
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(searchNow, AFTER_MS);
  };

  const onKeyDown = (event) => {
    const { value: text } = box.current;
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && text.trim()) {
      awaited.current = true;
      if (timer.current !== null) searchNow();
      openFirst();
    } else if (event.key === "ArrowDown" && !event.altKey) {
      if (!focusRows()) return;
    } else if (event.key === "Escape" && text) {
      empty();
    } else return;
    event.preventDefault();
  };

  return createElement("input", {
    ref: box,
    type: "search",
    id: "search",
    placeholder: label,
    "aria-label": label,
    maxLength: SEARCH_LIMIT,
    autoComplete: "off",
    spellCheck: false,
    enterKeyHint: "search",
    onInput,
    onKeyDown,
    onBlur: () => (awaited.current = false),
  });
}
