// Skip links: links at the top of the page, for keyboards and screen readers, to the list and to
// the open conversation.

import { createElement } from "react";

import { focusComposer } from "../navigation/focus.js";
import { focusRows } from "../inbox/rows.js";

const focusMessages = () =>
  focusComposer() || document.getElementById("conversation")?.focus();

export function SkipLinks({ toList, toConversation }) {
  const link = (href, text, focus) =>
    createElement(
      "a",
      {
        key: href,
        href,
        className: "skip-link",
        onClick: (event) => {
          event.preventDefault();
          focus();
        },
      },
      text,
    );
  return [
    link("#conversations", toList, () => focusRows() || document.getElementById("search")?.focus()),
    link("#conversation", toConversation, focusMessages),
  ];
}
