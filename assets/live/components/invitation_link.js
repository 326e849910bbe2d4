// The address of a link to join a clinic or to set a password, to copy and to hand over.

import { createElement } from "react";

import { useTranslate } from "../lib/i18n.js";
import { CopyButton } from "./clipboard.js";

const PATH = "/join#";

/** `text` is the link's own, which stands behind the `#`. */
export function InvitationLink({ text }) {
  const t = useTranslate();
  const address = `${window.location.origin}${PATH}${text}`;
  return createElement(
    "div",
    { className: "invitation-link" },
    createElement("input", {
      value: address,
      readOnly: true,
      translate: "no",
      "aria-label": t("Link"),
      "data-testid": "invitation-link",
      onFocus: ({ target }) => target.select(),
    }),
    createElement(CopyButton, { text: address, label: t("Copy the link") }),
  );
}
