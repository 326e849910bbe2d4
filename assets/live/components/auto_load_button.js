// Auto-load button: presses itself when it comes into view, for lists that load while scrolling.

import { createElement, useEffect, useRef } from "react";

const AHEAD = "240px 0px";

/** `cursor` is the beginning of the next page; each page is loaded automatically only once. */
export function SeenButton({ children, cursor, disabled, onClick, ...props }) {
  const button = useRef(null);
  const press = useRef(onClick);
  press.current = disabled ? null : onClick;

  useEffect(() => {
    // Without it the button is pressed by hand.
    if (!window.IntersectionObserver) return undefined;
    const observer = new IntersectionObserver(
      // A busy browser tells of several changes at once: the last is how it is now.
      (entries) => {
        // Who comes to it by keys goes past it, or presses it.
        if (document.activeElement === button.current) return;
        if (entries.at(-1).isIntersecting) press.current?.();
      },
      { root: button.current.closest("[data-scrolls], .message-list-scroll"), rootMargin: AHEAD },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
    // Observed anew when a page has arrived: a short one may not have pushed it out of view.
  }, [disabled, cursor]);

  return createElement(
    "button",
    { ...props, ref: button, type: "button", disabled, onClick },
    children,
  );
}
