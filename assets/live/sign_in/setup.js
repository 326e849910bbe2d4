// The set-up page: the first clinic of a new installation, for whoever can read the server's log.

import { createElement, useState } from "react";

import { useHydrated } from "../components/react/hydrated_fields.js";
import { locale, useTranslate } from "../lib/i18n.js";
import { FAILED, field, newPassword, post } from "./forms.js";

const FALLBACK_ZONE = "America/Sao_Paulo";
const FIELDS = ["code", "clinic", "timezone", "name", "email", "password"];

/** `messages` are the texts of errors by code; `shortest` and `longest` are a password's limits. */
export function SetupForm({ messages, shortest, longest }) {
  const t = useTranslate();
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const hydrated = useHydrated();

  const submit = async (event) => {
    event.preventDefault();
    const { elements } = event.target;
    setBusy(true);
    setError("");
    const values = Object.fromEntries(FIELDS.map((name) => [name, elements[name].value]));
    const { error: refused, location } = await post("/auth/setup", {
      ...values,
      locale: locale.get(),
    });
    if (location) window.location.replace(location);
    else {
      setBusy(false);
      setError(refused);
    }
  };

  return createElement(
    "form",
    { className: "sign-in-form", onSubmit: submit },
    createElement(
      "p",
      { role: "alert", className: "sign-in-error" },
      error && (messages[error] ?? messages[FAILED]),
    ),
    field(t("Code from the server's log"), { name: "code", autoComplete: "off", maxLength: 40 }),
    field(t("Name of the clinic"), { name: "clinic", maxLength: 120 }),
    field(t("Time zone"), { name: "timezone", defaultValue: zone(), maxLength: 64 }),
    field(t("Your name"), { name: "name", autoComplete: "name", maxLength: 120 }),
    field(t("Email"), { name: "email", type: "email", autoComplete: "username", maxLength: 254 }),
    ...newPassword(t, shortest, longest),
    createElement(
      "button",
      { type: "submit", className: "button button-primary", disabled: busy || !hydrated },
      t("Create the clinic"),
    ),
  );
}

// Where the browser does not say where it is, most clinics are in São Paulo's zone.
function zone() {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone ?? FALLBACK_ZONE;
  } catch {
    return FALLBACK_ZONE;
  }
}
