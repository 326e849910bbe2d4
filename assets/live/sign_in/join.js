// The page of a link to join a clinic or to set a password. The link's text stands behind the `#`
// of the address: it is sent to nobody but by this form, and leaves the address once it is read.

import { createElement, useEffect, useRef, useState } from "react";

import { locale, useTranslate } from "../lib/i18n.js";
import { SIGN_IN } from "../connection/connection.js";
import { FAILED, field, newPassword, post } from "./forms.js";

const NAME_LIMIT = 120;

/** `messages` are the texts of errors by code; `shortest` and `longest` are a password's limits. */
export function JoinForm({ messages, shortest, longest }) {
  const t = useTranslate();
  const text = useRef("");
  const [offer, setOffer] = useState(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    text.current = window.location.hash.slice(1);
    // Neither a history nor a screen that somebody looks at has to show it any longer.
    window.history.replaceState(window.history.state, "", window.location.pathname);
    post("/auth/link", { token: text.current }).then(({ error: refused, ...told }) => {
      if (refused) setError(refused);
      else setOffer(told);
    });
  }, []);

  const submit = async (event) => {
    event.preventDefault();
    const { name, password } = event.target.elements;
    setBusy(true);
    setError("");
    const { error: refused, location } = await post(
      offer.kind === "join" ? "/auth/join" : "/auth/password",
      {
        token: text.current,
        name: name?.value ?? "",
        password: password?.value ?? "",
        locale: locale.get(),
      },
    );
    if (location) window.location.replace(location);
    else {
      setBusy(false);
      setError(refused);
    }
  };

  const message = error && (messages[error] ?? messages[FAILED]);
  const alert = createElement("p", { role: "alert", className: "sign-in-error" }, message);
  if (!offer) {
    return createElement(
      "div",
      { className: "sign-in-form" },
      alert,
      error
        ? createElement("a", { href: SIGN_IN, className: "button" }, t("Go to the sign-in page"))
        : createElement("p", { className: "text-quiet", role: "status" }, t("Loading…")),
    );
  }
  const isNew = offer.kind === "join" && !offer.hasAccount;
  const needsPassword = offer.kind === "password" || isNew;
  return createElement(
    "form",
    { className: "sign-in-form", onSubmit: submit },
    createElement(
      "p",
      { className: "text-quiet" },
      offer.kind === "join"
        ? t("{clinic} invites you to its inbox.", { clinic: offer.clinic })
        : t("Choose a new password for {email}.", { email: offer.email }),
    ),
    alert,
    isNew && field(t("Your name"), { name: "name", autoComplete: "name", maxLength: NAME_LIMIT }),
    isNew && field(t("Email"), { name: "email", value: offer.email, readOnly: true, type: "email" }),
    ...(needsPassword ? newPassword(t, shortest, longest) : []),
    offer.kind === "join" &&
      offer.hasAccount &&
      createElement(
        "p",
        { className: "sign-in-help text-quiet" },
        t("You sign in with the password that you have."),
      ),
    createElement(
      "button",
      { type: "submit", className: "button button-primary", disabled: busy },
      offer.kind === "join" ? t("Join") : t("Set password"),
    ),
  );
}
