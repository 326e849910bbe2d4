// Short notices that something did not happen, shown for a while and read out.

import { createElement } from "react";

import { useTranslate } from "../lib/i18n.js";
import { createStore } from "../lib/store.js";

const SHOWN_MS = 8000;

const notices = createStore([]);
let last = 0;

/** Show why something did not happen, by the refusal's code. */
export function notice(code, params = {}) {
  const id = ++last;
  notices.set([...notices.get(), { id, code, params }]);
  window.setTimeout(() => dismiss(id), SHOWN_MS);
}

const dismiss = (id) => notices.set(notices.get().filter((entry) => entry.id !== id));

export function Notices() {
  const t = useTranslate();
  const text = ({ code, params }) => {
    if (code === "already_assigned" && params.name) {
      return t("{name} already took this conversation.", params);
    }
    if (code === "already_assigned") return t("Someone unassigned this conversation.");
    if (code === "offline") return t("Nothing was changed: no connection. Try again.");
    if (code === "no_answer") return t("No response. Check whether it went through.");
    if (code === "restarting") return t("Nothing was changed: the server is restarting. Try again.");
    if (code === "not_loaded") return t("That didn’t load. Reload the page.");
    if (code === "slow") return t("That took too long. Try again.");
    if (code === "started_over") {
      return t("This tab was somebody else's or another clinic's. What waits in it is kept for them.");
    }
    if (code === "still_signed_in") return t("You are still signed in: no connection.");
    if (code === "storage_unavailable") return t("Nothing was changed: the server cannot save right now.");
    if (code === "rate_limited") return t("Too many requests. Wait a moment.");
    if (code === "forbidden") return t("You may not do that in this clinic.");
    if (code === "nothing_inbound") return t("The patient has not written yet.");
    return t("That didn’t work. Try again.");
  };
  return createElement(
    "div",
    { className: "notices", role: "status", "aria-live": "polite", "data-testid": "notices" },
    notices.use().map((entry) =>
      createElement(
        "div",
        { key: entry.id, className: "notices-line" },
        text(entry),
        createElement(
          "button",
          { type: "button", "aria-label": t("Dismiss"), onClick: () => dismiss(entry.id) },
          "×",
        ),
      ),
    ),
  );
}
