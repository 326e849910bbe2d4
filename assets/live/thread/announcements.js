// Announcements: a live region that reads out new messages of the open conversation. The list
// itself is no live region: messages that load on scrolling would be read out one by one.

import { createElement, useEffect, useRef } from "react";

import { useTranslate } from "../lib/i18n.js";

// What waited for a connection may be much: so many are read out, of more only the number.
const READ_OUT = 3;
const KEPT = 4;

const NOTHING = { conversationId: null, first: 0, last: 0, atEnd: false };

/**
 * @param messages the rows on the screen in their order, as message_rows.js makes them
 * @param atEnd whether the newest message is among them
 */
export function Announcements({ conversationId, messages, atEnd, label }) {
  const t = useTranslate();
  const region = useRef(null);
  const before = useRef(NOTHING);

  useEffect(() => {
    const stored = messages.filter(({ seq }) => seq > 0);
    const known = before.current;
    before.current = {
      conversationId,
      first: stored[0]?.seq ?? 0,
      last: stored.at(-1)?.seq ?? 0,
      atEnd,
    };
    if (known.conversationId !== conversationId || known.last === 0) {
      region.current.replaceChildren();
      return;
    }
    const earlier = stored.filter(({ seq }) => seq < known.first).length;
    if (earlier > 0) announce(t("{n} earlier messages loaded", { n: earlier }));
    const after = stored.filter(({ seq }) => seq > known.last);
    if (!known.atEnd) {
      if (after.length > 0) announce(t("{n} later messages loaded", { n: after.length }));
      return;
    }
    const arrived = after.filter(({ mine }) => !mine);
    if (arrived.length > READ_OUT) announce(t("{n} new messages", { n: arrived.length }));
    else for (const { author_name, body } of arrived) announce(`${author_name}: ${body}`);
  }, [conversationId, messages, atEnd]);

  function announce(text) {
    const line = document.createElement("p");
    line.textContent = text;
    region.current.append(line);
    while (region.current.childElementCount > KEPT) region.current.firstElementChild.remove();
  }

  return createElement("div", {
    ref: region,
    className: "sr-only",
    role: "log",
    "aria-live": "polite",
    "aria-relevant": "additions",
    "aria-label": label,
    "data-testid": "announcements",
  });
}
