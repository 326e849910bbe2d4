// Copy button: one for all messages. It copies the message under the mouse, or, by keyboard, the
// newest one, from which the arrow keys lead to the others. A button in each message would be a Tab
// stop in each.

import { createElement, useEffect, useRef, useState } from "react";

import { copy } from "../components/clipboard.js";
import { useTranslate } from "../lib/i18n.js";
import { signs } from "../lib/text.js";

const SHOWN_MS = 1500;
const NAMED_LETTERS = 60;
// A family with tones of skin, in UTF-16.
const LONGEST_SIGN = 25;
const VIEW = ".message-list-view";
const GAP_PX = 6;
const WIDTH_PX = 32;

const textOf = (message) => message.querySelector(".message-body")?.textContent ?? "";

export function MessageActions() {
  const t = useTranslate();
  const button = useRef(null);
  // The message it is for, and where it stands beside it.
  const [target, setTarget] = useState(null);
  const [outcome, setOutcome] = useState("");

  const aim = (message) => {
    if (!message?.isConnected) {
      setTarget(null);
      return;
    }
    setTarget((now) => (now?.message === message ? now : { message, ...beside(message) }));
  };
  const all = () => [...button.current.closest(VIEW).querySelectorAll(".message")];

  useEffect(() => {
    const view = button.current.closest(VIEW);
    const onOver = ({ pointerType, target: over }) => {
      if (pointerType !== "mouse" || button.current.contains(over)) return;
      aim(over.closest(".message"));
    };
    const rest = () => {
      if (!button.current?.matches(":focus-visible")) setTarget(null);
    };
    view.addEventListener("pointerover", onOver);
    view.addEventListener("pointerleave", rest);
    view.addEventListener("scroll", rest, { capture: true, passive: true });
    return () => {
      view.removeEventListener("pointerover", onOver);
      view.removeEventListener("pointerleave", rest);
      view.removeEventListener("scroll", rest, { capture: true });
    };
  }, []);

  useEffect(() => {
    if (!outcome) return undefined;
    const timer = window.setTimeout(() => setOutcome(""), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [outcome]);

  const step = (by) => {
    const messages = all();
    const next = messages[messages.indexOf(target?.message) + by];
    if (!next) return;
    next.scrollIntoView({ block: "nearest" });
    setTarget({ message: next, ...beside(next) });
  };

  return createElement(
    "div",
    {
      className: "message-actions",
      "data-shown": target !== null,
      style: target ? { top: target.top, left: target.left } : undefined,
    },
    createElement(
      "button",
      {
        ref: button,
        type: "button",
        className: "message-actions-copy",
        "data-testid": "copy-message",
        "aria-label": target
          ? t("Copy message: {text}", { text: shortened(textOf(target.message)) })
          : t("Copy message"),
        title: t("Copy message"),
        onFocus: () => target || aim(all().at(-1)),
        onBlur: () => setTarget(null),
        onKeyDown(event) {
          const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
          if (!by) return;
          event.preventDefault();
          step(by);
        },
        async onClick() {
          if (!target) return;
          setOutcome((await copy(textOf(target.message))) ? t("Copied") : t("Not copied"));
        },
      },
      createElement(
        "svg",
        { viewBox: "0 0 24 24", width: 16, height: 16, "aria-hidden": true },
        createElement("rect", { x: 9, y: 9, width: 12, height: 12, rx: 2 }),
        createElement("path", { d: "M5 15H4a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v1" }),
      ),
    ),
    // Not in the button: what is in there is not read out.
    createElement("span", { role: "status", className: "message-actions-copied" }, outcome),
  );
}

function beside(message) {
  const view = message.closest(VIEW).getBoundingClientRect();
  const bubble = message.querySelector(".message-bubble").getBoundingClientRect();
  const left =
    message.dataset.direction === "outbound"
      ? bubble.left - view.left - GAP_PX - WIDTH_PX
      : bubble.right - view.left + GAP_PX;
  const top = Math.min(Math.max(GAP_PX, bubble.top - view.top), view.height - WIDTH_PX - GAP_PX);
  return { left: Math.max(GAP_PX, left), top };
}

function shortened(text) {
  // Of a long text no more is looked at than may be needed.
  const letters = signs(text.slice(0, NAMED_LETTERS * LONGEST_SIGN));
  return letters.length > NAMED_LETTERS ? `${letters.slice(0, NAMED_LETTERS).join("")}…` : text;
}
