// The scrolling area of a conversation: at the bottom it stays at the bottom, anywhere else
// nothing moves, whatever is added above or below or changes its size.

import { createElement, useEffect, useRef } from "react";

const BOTTOM_PX = 48;

export function ThreadScroll({ conversationId, label, children }) {
  const area = useRef(null);
  const content = useRef(null);

  useEffect(() => {
    const keeper = keepPlace(area.current, content.current);
    return keeper.stop;
  }, [conversationId]);

  return createElement(
    "div",
    {
      ref: area,
      className: "thread-scroll",
      "data-testid": "message-list",
      role: "log",
      "aria-label": label,
      tabIndex: 0,
    },
    createElement("div", { ref: content, className: "thread-content" }, children),
  );
}

function keepPlace(area, content) {
  let atBottom = true;
  let anchor = null;

  const remember = () => {
    atBottom = area.scrollHeight - area.scrollTop - area.clientHeight <= BOTTOM_PX;
    const top = area.getBoundingClientRect().top;
    const row = [...content.querySelectorAll("[data-seq]")].find(
      (element) => element.getBoundingClientRect().bottom > top,
    );
    anchor = row ? { row, offset: row.getBoundingClientRect().top - top } : null;
  };

  const restore = () => {
    if (atBottom) {
      area.scrollTop = area.scrollHeight;
    } else if (anchor?.row.isConnected) {
      const top = area.getBoundingClientRect().top;
      const moved = anchor.row.getBoundingClientRect().top - top - anchor.offset;
      if (Math.abs(moved) >= 1) area.scrollTop += moved;
    }
  };

  const sizes = new ResizeObserver(restore);
  sizes.observe(content);
  sizes.observe(area);
  area.addEventListener("scroll", remember, { passive: true });
  restore();
  return {
    stop() {
      sizes.disconnect();
      area.removeEventListener("scroll", remember);
    },
  };
}
