// An address of this server, to copy and to hand over.

import { createElement } from "react";

import { CopyButton } from "./clipboard.js";

/** `path` is its own part; the rest is where this page is. */
export function OwnAddress({ path, name, copyLabel }) {
  const address = `${window.location.origin}${path}`;
  return createElement(
    "div",
    { className: "invitation-link" },
    createElement("input", {
      value: address,
      readOnly: true,
      translate: "no",
      "aria-label": name,
      onFocus: ({ target }) => target.select(),
    }),
    createElement(CopyButton, { text: address, label: copyLabel }),
  );
}
