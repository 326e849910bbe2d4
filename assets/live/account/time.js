// Times in the clinic's time zone and the reader's language, as React components.

import { createElement, useEffect, useRef, useState } from "react";

import { account } from "./account.js";
import { dayIn, daysBetween, format } from "../lib/calendar.js";
import { offset, serverNow } from "../lib/clock.js";
import { locale, useTranslate } from "../lib/i18n.js";
import { safely } from "../lib/safely.js";

const MINUTE = 60_000;

// The first use of dates reads the browser's tables of all languages, for which a slow machine takes
// a fifth of a second. They are shared by its threads, so a worker reads them while this one draws.
if (typeof window !== "undefined" && window.Worker) {
  safely(() => new Worker(new URL("./date_tables.js", import.meta.url), { type: "module" }));
}

// Not by fields: with those, Portuguese loses the zero of the hour before ten.
const CLOCK = { timeStyle: "short" };
const MOMENT = { dateStyle: "full", timeStyle: "short" };
const EXACT_MOMENT = { dateStyle: "full", timeStyle: "medium" };

/** The time of day of a message. */
export function ClockTime({ at }) {
  const { timeZone } = account.use();
  const language = locale.use();
  if (!at) return null;
  const moment = new Date(at);
  return createElement(
    "time",
    {
      dateTime: at,
      ...onHover(() => format(language, timeZone, EXACT_MOMENT).format(moment)),
    },
    format(language, timeZone, CLOCK).format(moment),
  );
}

/** The time since a moment, in the short form of a list row. */
export function RelativeTime({ at }) {
  const { timeZone } = account.use();
  const language = locale.use();
  const t = useTranslate();
  useMinutes();
  if (!at) return null;
  const moment = new Date(at);
  const show = (options) => format(language, timeZone, options).format(moment);
  const now = serverNow();
  const age = daysBetween(dayIn(at, timeZone), dayIn(now, timeZone));
  let text;
  if (now - moment < MINUTE) text = t("now");
  else if (now - moment < 60 * MINUTE) {
    text = t("{n} min", { n: Math.floor((now - moment) / MINUTE) });
  } else if (age <= 0) text = show(CLOCK);
  else if (age === 1) text = t("Yesterday");
  else if (age < 7) text = show({ weekday: "short" });
  else text = show({ day: "2-digit", month: "2-digit", year: "2-digit" });
  return createElement("time", { dateTime: at, ...onHover(() => show(MOMENT)) }, text);
}

/** The line between the messages of two days. */
export function DayName({ day }) {
  const { timeZone } = account.use();
  const language = locale.use();
  const t = useTranslate();
  useMinutes();
  const age = daysBetween(day, dayIn(serverNow(), timeZone));
  if (age === 0) return t("Today");
  if (age === 1) return t("Yesterday");
  const text = format(language, "UTC", {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(age > 300 ? { year: "numeric" } : {}),
  }).format(new Date(`${day}T12:00Z`));
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A message's delivery status: an icon, with name, time and reason on hover and read out. */
export function Receipt({ at, name, reason, children }) {
  const { timeZone } = account.use();
  const language = locale.use();
  const time = at
    ? format(language, timeZone, { dateStyle: "short", timeStyle: "short" }).format(new Date(at))
    : "";
  const text = [[name, time].filter(Boolean).join(" "), reason].filter(Boolean).join(": ");
  return createElement(
    "span",
    { title: text },
    children,
    createElement("span", { className: "sr-only" }, text),
  );
}

/** The time of printing, put into words when a print begins: a format is slow to make. */
export function PrintedAt() {
  const { timeZone } = account.use();
  const language = locale.use();
  const element = useRef(null);
  useEffect(() => {
    const write = () => {
      element.current.textContent = format(language, timeZone, MOMENT).format(Date.now());
    };
    const paper = safely(() => window.matchMedia("print"));
    window.addEventListener("beforeprint", write);
    paper?.addEventListener("change", write);
    return () => {
      window.removeEventListener("beforeprint", write);
      paper?.removeEventListener("change", write);
    };
  }, [language, timeZone]);
  return createElement("time", { ref: element });
}

/** A date, such as the day a patient first wrote. */
export function LongDate({ at }) {
  const { timeZone } = account.use();
  const language = locale.use();
  if (!at) return null;
  return createElement(
    "time",
    { dateTime: at },
    format(language, timeZone, { dateStyle: "long" }).format(new Date(at)),
  );
}

// Few are ever hovered over, and to put sixty into words takes long on a slow machine.
const onHover = (describe) => ({
  onPointerEnter: ({ currentTarget }) => {
    currentTarget.title = describe();
  },
});

/** Draw again every half minute, and when the server's clock turns out to differ. */
function useMinutes() {
  offset.use();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => tick((n) => n + 1), MINUTE / 2);
    return () => window.clearInterval(timer);
  }, []);
}
