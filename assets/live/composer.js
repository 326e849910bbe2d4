// The message box: Enter sends, Shift+Enter breaks the line, it grows to six lines, and each
// conversation keeps its own draft.

import { createElement, useEffect, useLayoutEffect, useRef, useState } from "react";

import * as drafts from "$/public/live/drafts.js";
import { useTranslate } from "$/public/live/i18n.js";
import * as outbox from "$/public/live/outbox.js";
import { jumpToLatest } from "$/public/live/thread.js";
import { stopped, typed } from "$/public/live/typing.js";

export const BODY_LIMIT = 4000;
const COUNT_FROM = 3500;
const MAX_LINES = 6;
const INVISIBLE = /^[\p{Z}\p{Cc}\p{Cf}]*$/u;
// Control characters and lone surrogates.
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\p{Cs}/u;

const useBeforePaint = typeof window === "undefined" ? useEffect : useLayoutEffect;

/** Why a body would be refused, as the server's code (clinic_chat/domain/text.py), or "". */
export function refusal(body) {
  if (FORBIDDEN.test(body)) return "body_characters";
  if (INVISIBLE.test(body)) return "body_empty";
  if ([...body.trim()].length > BODY_LIMIT) return "body_too_long";
  return "";
}

/** Put the focus into the message box; whether there is one. */
export function focusComposer() {
  const box = document.querySelector("[data-testid=composer] textarea");
  box?.focus();
  return Boolean(box);
}

// It comes when the conversation is drawn: what is being typed by then must not go on in here.
const BUSY = "input, textarea, select, [role=menu], [role=alertdialog]";
const isElsewhere = () => Boolean(document.activeElement?.closest(BUSY));

export function MessageBox({ conversationId, label, placeholder, reasons }) {
  const t = useTranslate();
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
    const body = box.current.value;
    const reason = refusal(body);
    if (reason) {
      setHint(reasons[reason] ?? reason);
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

  const onInput = () => {
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
    // While an input method composes, Enter accepts its suggestion.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    submit(event);
  };

  return [
    createElement("textarea", {
      key: "box",
      ref: box,
      rows: 1,
      "aria-label": label,
      "aria-describedby": "composer-hint",
      placeholder,
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

function grow(box) {
  const style = window.getComputedStyle(box);
  const padding = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
  const limit = parseFloat(style.lineHeight) * MAX_LINES + padding;
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, limit)}px`;
  box.style.overflowY = box.scrollHeight > limit ? "auto" : "hidden";
}
