// Clipboard: copying text. Without HTTPS browsers have no `navigator.clipboard`, so the text is
// selected and copied.

import { createElement, useEffect, useState } from "react";

import { useTranslate } from "../lib/i18n.js";

const SHOWN_MS = 2000;

/** Copy a text to the clipboard; returns whether that was possible. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const before = document.activeElement;
  // Inside an open dialog, because what is outside of one cannot have the focus.
  const place = before?.closest("dialog") ?? document.body;
  const box = document.createElement("textarea");
  box.value = text;
  box.className = "sr-only";
  place.append(box);
  box.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    box.remove();
    before?.focus({ preventScroll: true });
  }
}

/** A button called `label` that copies `text` and confirms it; `brief` shows "Copy" instead. */
export function CopyButton({ text, label, brief = true }) {
  const t = useTranslate();
  const [outcome, setOutcome] = useState("");

  useEffect(() => {
    if (!outcome) return undefined;
    const timer = window.setTimeout(() => setOutcome(""), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [outcome]);

  return createElement(
    "span",
    { className: "copy-button" },
    createElement(
      "button",
      {
        type: "button",
        className: "text-button",
        "aria-label": label,
        title: label,
        onClick: async () => setOutcome((await copy(text)) ? t("Copied") : t("Not copied")),
      },
      brief ? t("Copy") : label,
    ),
    createElement("span", { role: "status" }, outcome),
  );
}
