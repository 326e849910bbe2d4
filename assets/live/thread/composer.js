// Message box: Enter sends and Shift+Enter breaks the line where there is a keyboard, it grows to
// six lines, and each conversation keeps its own draft.

import { createElement, useEffect, useLayoutEffect, useRef, useState } from "react";

import { BODY_LIMIT } from "$/utils/constants.js";
import { cleanText, isVisible } from "../outbox/clean_text.js";
import * as drafts from "../outbox/drafts.js";
import { useErrorText } from "../lib/error_texts.js";
import { useTranslate } from "../lib/i18n.js";
import * as outbox from "../outbox/outbox.js";
import { jumpToLatest } from "./thread.js";
import { stopped, typed } from "../presence/typing.js";

const COUNT_FROM = 3500;
const MAX_LINES = 6;

const useBeforePaint = typeof window === "undefined" ? useEffect : useLayoutEffect;

/** The server's code for refusing a body (clinic_chat/domain/validation.py), or "". */
export function refusal(body) {
  if (!isVisible(body)) return "body_empty";
  if ([...body.trim()].length > BODY_LIMIT) return "body_too_long";
  return "";
}

// It comes when the conversation is drawn: what is being typed by then must not go on in here.
const BUSY = "input, textarea, select, [role=menu], [role=alertdialog]";
const isElsewhere = () => Boolean(document.activeElement?.closest(BUSY));

// Enter accepts an input method's suggestion. Safari tells so only by the key's code, because it
// ends the composition before the key (webkit.org/b/165004).
const isComposing = ({ isComposing, keyCode }) => isComposing || keyCode === 229;

const isTouchScreen = () => window.matchMedia("(pointer: coarse)").matches;

export function MessageBox({ conversationId, label, placeholder }) {
  const t = useTranslate();
  const errorText = useErrorText();
  const box = useRef(null);
  const [hint, setHint] = useState("");

  const show = (text) => {
    box.current.value = text;
    setHint("");
    grow(box.current);
  };

  useBeforePaint(() => {
    show(drafts.draftOf(conversationId));
    if (window.matchMedia("(pointer: fine)").matches && !isElsewhere()) {
      box.current.focus({ preventScroll: true });
    }
    return stopped;
  }, [conversationId]);

  // Before paint as well: between the two a draft that comes would be shown by neither.
  useBeforePaint(
    () => drafts.onRemote((id, body) => id === conversationId && show(body)),
    [conversationId],
  );

  const submit = (event) => {
    event?.preventDefault();
    const body = cleanText(box.current.value);
    const reason = refusal(body);
    if (reason) {
      setHint(errorText(reason));
      box.current.focus();
      return;
    }
    stopped();
    outbox.send(conversationId, body.trim());
    drafts.edit(conversationId, "");
    show("");
    box.current.focus();
    jumpToLatest();
  };

  useEffect(() => {
    const { form } = box.current;
    form.addEventListener("submit", submit);
    return () => form.removeEventListener("submit", submit);
  });

  const onInput = ({ nativeEvent }) => {
    if (!nativeEvent.isComposing) clean(box.current);
    const { value } = box.current;
    const length = [...value].length;
    drafts.edit(conversationId, value);
    if (value) typed(conversationId);
    else stopped();
    setHint(
      length > COUNT_FROM ? t("{n} of {limit} characters", { n: length, limit: BODY_LIMIT }) : "",
    );
    grow(box.current);
  };

  const onKeyDown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event.nativeEvent)) return;
    // On the keyboard of a screen there is no Shift+Enter; the button sends.
    if (isTouchScreen()) return;
    event.preventDefault();
    // A key that is held down is one press.
    if (!event.repeat) submit();
  };

  return [
    createElement("textarea", {
      key: "box",
      ref: box,
      rows: 1,
      "aria-label": label,
      "aria-describedby": "composer-hint",
      placeholder,
      // What a screen's keyboard writes on the key, which breaks the line.
      enterKeyHint: "enter",
      onInput,
      onKeyDown,
      onBlur: stopped,
    }),
    createElement(
      "span",
      { key: "hint", id: "composer-hint", className: "composer-hint", role: "alert" },
      hint,
    ),
  ];
}

/** Remove pasted characters that cannot be sent; the caret keeps its place. */
function clean(box) {
  const cleaned = cleanText(box.value);
  if (cleaned === box.value) return;
  const place = cleanText(box.value.slice(0, box.selectionEnd)).length;
  box.value = cleaned;
  box.setSelectionRange(place, place);
}

function grow(box) {
  const style = window.getComputedStyle(box);
  const padding = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
  const limit = parseFloat(style.lineHeight) * MAX_LINES + padding;
  box.style.height = "auto";
  const borders = box.offsetHeight - box.clientHeight;
  box.style.height = `${Math.min(box.scrollHeight, limit) + borders}px`;
  box.style.overflowY = box.scrollHeight > limit ? "auto" : "hidden";
}
