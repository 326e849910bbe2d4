// Scroll position of a conversation: at the bottom it stays at the bottom; anywhere else nothing
// moves when content above or below is added or changes its size.

import { createElement, useEffect, useLayoutEffect, useRef } from "react";

const BOTTOM_PX = 48;
// So much of what was read before shows above the line of the first unread message.
const ABOVE_UNREAD_PX = 64;
// A message counts as shown when this much of it is.
const SHOWN_PX = 16;

// Effects do not run while the page is rendered at build time.
const useBeforePaint = typeof window === "undefined" ? useEffect : useLayoutEffect;

let keeper = null;
let whenPlaceChanges = () => {};

/** The reader's place in the open conversation. */
export const scroller = {
  /** Whether a conversation's messages are drawn, which is some time after they came. */
  shows: (conversationId) => keeper?.conversationId === conversationId,
  atBottom: () => keeper?.atBottom() ?? true,
  /** The number of the last message in view, Infinity at the bottom. */
  lastShown: () => keeper?.lastShown() ?? Infinity,
  /** Whether the reader has scrolled since the conversation was opened. */
  hasScrolled: () => keeper?.hasScrolled() ?? false,
  toBottom: () => keeper?.toBottom(),
  /** Keep the top of a message in place while its size changes, or bring it into view. */
  hold: (messageId) => keeper?.hold(messageId),
};

/** Call `listener` when the reader reaches or leaves the bottom, or sees further messages. */
export function onPlaceChange(listener) {
  whenPlaceChanges = listener;
}

export function ThreadScroll({ conversationId, markedSeq, label, children }) {
  const area = useRef(null);
  const content = useRef(null);

  useBeforePaint(() => {
    const mine = { conversationId, ...keepPlace(area.current, content.current, markedSeq) };
    keeper = mine;
    whenPlaceChanges();
    return () => {
      mine.stop();
      if (keeper === mine) keeper = null;
    };
  }, [conversationId, markedSeq]);

  return createElement(
    "div",
    {
      ref: area,
      className: "message-list-scroll",
      "data-testid": "message-list",
      // What is new is read out by announcements.js: this also grows where somebody scrolls.
      role: "region",
      "aria-label": label,
      tabIndex: 0,
    },
    createElement("div", { ref: content, className: "message-list-content" }, children),
  );
}

function keepPlace(area, content, markedSeq) {
  let bottom = true;
  let anchor = null;
  let seen = 0;
  let scrolledByReader = false;
  let furthest = 0;

  const setBottom = (next) => {
    if (bottom === next) return;
    bottom = next;
    whenPlaceChanges();
  };

  const remember = () => {
    // What was added below since then is not the reader's doing: they have not scrolled up.
    const stayed = bottom && area.scrollTop >= seen - 1;
    setBottom(stayed || area.scrollHeight - area.scrollTop - area.clientHeight <= BOTTOM_PX);
    const { top, bottom: end } = area.getBoundingClientRect();
    // Not the rows: lines above a message and its author's name come and go with its neighbours.
    const inView = [...content.querySelectorAll("[data-seq] .message-body")]
      .map((body) => ({ body, place: body.getBoundingClientRect() }))
      .filter(({ place }) => place.bottom > top && place.top < end);
    // What one reads begins in view, unless one message is all there is to see.
    const { body, place } = inView.find(({ place }) => place.top >= top) ?? inView[0] ?? {};
    anchor = body ? { body, offset: place.top - top } : null;
    seen = area.scrollTop;
    const last = lastShown();
    if (last <= furthest) return;
    furthest = last;
    whenPlaceChanges();
  };

  const lastShown = () => {
    if (bottom) return Infinity;
    const end = area.getBoundingClientRect().bottom - SHOWN_PX;
    // What waits to be sent has no number yet, and comes last.
    const rows = content.querySelectorAll('[data-seq]:not([data-seq="0"])');
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const body = rows[middle].querySelector(".message-body");
      if (body.getBoundingClientRect().top < end) low = middle + 1;
      else high = middle;
    }
    return Number(rows[low - 1]?.dataset.seq ?? 0);
  };

  const atVeryBottom = () => area.scrollHeight - area.scrollTop - area.clientHeight < 1;

  // A scroll whose event is still to come is the reader's, and is not to be undone. One that ends
  // at the very bottom may be the browser's own, because there is less to show.
  const allowForScroll = () => {
    const by = area.scrollTop - seen;
    if (atVeryBottom()) return;
    // Fine screens scroll by parts of a pixel.
    if (anchor) anchor.offset -= by;
    if (by < -BOTTOM_PX) setBottom(false);
  };

  const keepAnchor = () => {
    if (!anchor?.body.isConnected) return;
    const top = area.getBoundingClientRect().top;
    const moved = anchor.body.getBoundingClientRect().top - top - anchor.offset;
    if (Math.abs(moved) >= 0.5) area.scrollTop += moved;
  };

  const restore = () => {
    allowForScroll();
    if (bottom) area.scrollTop = area.scrollHeight;
    else keepAnchor();
    seen = area.scrollTop;
  };

  // What was added above since the last frame must not pass for what the reader scrolled to.
  // At the bottom there is no anchor to go by: the one of before moved up with what was added.
  const scrolled = () => {
    if (Math.abs(area.scrollTop - seen) > 1) scrolledByReader = true;
    const hasAnchor = !bottom;
    allowForScroll();
    if (hasAnchor && !bottom && !atVeryBottom()) keepAnchor();
    remember();
  };

  // Both tell before the browser paints, so the reader never sees the place it moves from.
  const sizes = new ResizeObserver(restore);
  sizes.observe(content);
  sizes.observe(area);
  area.addEventListener("scroll", scrolled, { passive: true });

  const marked = content.querySelector(`[data-seq="${markedSeq || "none"}"]`);
  const unread = content.querySelector("[data-testid=unread-line]");
  if (marked || unread) {
    bottom = false;
    if (marked) marked.scrollIntoView({ block: "center" });
    else area.scrollTop += below(unread, area) - ABOVE_UNREAD_PX;
    remember();
  }
  if (bottom) restore();

  return {
    atBottom: () => bottom,
    lastShown,
    hasScrolled: () => scrolledByReader,
    toBottom() {
      setBottom(true);
      seen = area.scrollTop;
      restore();
    },
    hold(messageId) {
      const body = content.querySelector(`[data-id="${messageId}"] .message-body`);
      if (!body) return;
      const offset = body.getBoundingClientRect().top - area.getBoundingClientRect().top;
      anchor = { body, offset: Math.max(0, offset) };
      seen = area.scrollTop;
      setBottom(false);
    },
    stop() {
      sizes.disconnect();
      area.removeEventListener("scroll", scrolled);
    },
  };
}

const below = (element, area) =>
  element.getBoundingClientRect().top - area.getBoundingClientRect().top;
