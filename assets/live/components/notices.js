// Notices: short messages about failed actions, shown for some seconds and read out.

import { createElement } from "react";

import { useErrorText } from "../lib/error_texts.js";
import { useTranslate } from "../lib/i18n.js";
import { createStore } from "../lib/store.js";

const SHOWN_MS = 8000;

const notices = createStore([]);
let last = 0;

/** Show the text of an error's code; `params` are the values that the server's answer gave. */
export function notice(code, params = {}) {
  const id = ++last;
  notices.set([...notices.get(), { id, code, params }]);
  window.setTimeout(() => dismiss(id), SHOWN_MS);
}

const dismiss = (id) => notices.set(notices.get().filter((entry) => entry.id !== id));

export function Notices() {
  const t = useTranslate();
  const errorText = useErrorText();
  return createElement(
    "div",
    { className: "notices", role: "status", "aria-live": "polite", "data-testid": "notices" },
    notices.use().map((entry) =>
      createElement(
        "div",
        { key: entry.id, className: "notices-line" },
        errorText(entry.code, entry.params),
        createElement(
          "button",
          { type: "button", "aria-label": t("Dismiss"), onClick: () => dismiss(entry.id) },
          "×",
        ),
      ),
    ),
  );
}
