// Links in messages: addresses of pages (https only) and of mail, and phone numbers.
//
// The text stays as it was written, letter by letter, and a link leads to the address that is read:
// an address that could be mistaken for another (similar letters, a name before an @, invisible
// characters) becomes no link. An opened page learns nothing about this one.

import { createElement, useMemo } from "react";

// Nothing but ASCII: in other scripts there are letters that look like these.
const PAGE = "(?:https:\\/\\/|www\\.)[\\w\\-.~:/?#[\\]@!$&'()*+,;=%]{3,2000}";
const MAIL = "[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\\.){1,8}[a-z]{2,24}";
const ABROAD = "\\+\\d(?:[ ().-]{0,2}\\d){7,14}";
const FREE = "0800[ -]?\\d{3}[ -]?\\d{4}";
const AREA = "(?:\\(0?\\d{2}\\) ?|0?\\d{2}[ -])(?:9 ?)?\\d{4}[ -]?\\d{4}";
const MOBILE = "9\\d{4}[ -]\\d{4}";
const LINK = new RegExp(`${PAGE}|${MAIL}|${ABROAD}|${FREE}|${AREA}|${MOBILE}`, "gi");
// Most of what is written has none of these, and needs no search for links.
const MAYBE = /https:\/\/|www\.|@|\d{4}/i;
// What ends a sentence ends the address.
const TRAILING = /[.,;:!?'*]+$/;
// Letters, and what cannot be seen or changes how the letters beside it are read.
const PARTS_OF_A_WORD = /[\p{L}\p{N}\p{M}\p{Cf}_@+]/u;

/**
 * `body` in parts, in order: text, or a link to `href`.
 * @returns {{text: string, href?: string}[]} their texts together are `body`
 */
export function linked(body) {
  if (!MAYBE.test(body)) return [{ text: body }];
  const parts = [];
  let end = 0;
  for (const { 0: match, index } of body.matchAll(LINK)) {
    const text = trimmed(match);
    const href = hrefOf(text);
    if (!href || !standsAlone(body, index, index + text.length)) continue;
    if (index > end) parts.push({ text: body.slice(end, index) });
    parts.push({ text, href });
    end = index + text.length;
  }
  if (end < body.length) parts.push({ text: body.slice(end) });
  return parts;
}

/** A message's text with its links. */
export function MessageText({ body }) {
  return useMemo(
    () =>
      linked(body).map(({ text, href }, place) =>
        href
          ? createElement("a", { key: place, href, ...elsewhere(href) }, text)
          : text,
      ),
    [body],
  );
}

const elsewhere = (href) =>
  href.startsWith("https:")
    ? { target: "_blank", rel: "noopener noreferrer nofollow", referrerPolicy: "no-referrer" }
    : {};

function trimmed(match) {
  let text = match.replace(TRAILING, "");
  // A bracket that was opened before the address closes after it.
  while (/[)\]]$/.test(text) && !opens(text)) text = text.slice(0, -1).replace(TRAILING, "");
  return text;
}

function opens(text) {
  const [open, close] = text.endsWith(")") ? ["(", ")"] : ["[", "]"];
  return text.split(open).length >= text.split(close).length;
}

// Not in the middle of a word or a longer number.
function standsAlone(body, from, to) {
  const before = body.slice(Math.max(0, from - 2), from);
  const after = body.slice(to, to + 2);
  const touches = (letters) => PARTS_OF_A_WORD.test(letters);
  const beside = [...before].at(-1) ?? "";
  const behind = [...after][0] ?? "";
  if (touches(beside) || touches(behind)) return false;
  // 1234-5678-9 and 10.98765-4321 are no phone numbers.
  return !(/\d[-./]$/.test(before) || /^[-/]\d/.test(after));
}

function hrefOf(text) {
  if (/^(https:|www\.)/i.test(text)) return pageHref(text);
  if (text.includes("@")) return `mailto:${text}`;
  const digits = text.replace(/\D/g, "");
  if (digits.length > 15) return "";
  return `tel:${text.startsWith("+") ? "+" : ""}${digits}`;
}

function pageHref(text) {
  let url;
  try {
    url = new URL(/^www\./i.test(text) ? `https://${text}` : text);
  } catch {
    return "";
  }
  const honest =
    url.protocol === "https:" &&
    !url.username &&
    !url.password &&
    /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/.test(url.hostname) &&
    // The same name in letters of other scripts, which is shown nowhere.
    !/(^|\.)xn--/.test(url.hostname) &&
    text.toLowerCase().replace(/^https:\/\//, "").startsWith(url.hostname);
  return honest ? url.href : "";
}
