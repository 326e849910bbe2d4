// Sign-in page: the error of the last attempt, the form's kept values, and showing the password.

import { createElement, Fragment, useEffect, useRef, useState } from "react";

import { setLocale } from "../lib/i18n.js";
import { createStore } from "../lib/store.js";
import { FAILED } from "./forms.js";

// Kept for this tab between a try and its answer, which is a new page.
const TYPED = "clinic-chat:sign-in";
// The session was over before; nothing was typed here.
const NO_TRY = "ended";

export const passwordShown = createStore(false);
// What the second step asks for, by what the person has set up.
const STEPS = ["code", "passkey", "either"];
/** What the page asks for: "" for the password, else one of STEPS. */
export const step = createStore("");
export const chosenLocale = createStore("");
/** The code of what went wrong with a passkey, which this page says in the place of its own. */
export const passkeyError = createStore("");

export const togglePassword = () => passwordShown.set(!passwordShown.get());

/** Show the page in a language, which the person who signs in then keeps. */
export function chooseLocale(locale) {
  setLocale(locale);
  chosenLocale.set(locale);
}

export function SignInQuery({ messages, passkeyMessages }) {
  // The page is rendered at build time, when there is no address yet.
  const [query, setQuery] = useState(null);
  const next = useRef(null);
  const locale = chosenLocale.use();
  useEffect(() => {
    const found = new URLSearchParams(window.location.search);
    setQuery(found);
    step.set(stepOf(found));
    const form = next.current.form;
    const error = found.get("error");
    if (!form.elements.email) return undefined;
    if (error && error !== NO_TRY) restore(form.elements);
    else forget();
    const remember = () => {
      passwordShown.set(false);
      keep({ email: form.elements.email.value, locale: chosenLocale.get() });
    };
    form.addEventListener("submit", remember);
    return () => form.removeEventListener("submit", remember);
  }, []);

  const ofPasskey = passkeyError.use();
  const error = query?.get("error");
  const message = ofPasskey
    ? (passkeyMessages[ofPasskey] ?? passkeyMessages[FAILED])
    : error && messages[error];
  return createElement(
    Fragment,
    null,
    createElement("input", {
      ref: next,
      type: "hidden",
      name: "next",
      value: query?.get("next") ?? "",
    }),
    createElement("input", { type: "hidden", name: "locale", value: locale }),
    createElement("input", { type: "hidden", name: "step", value: stepOf(query) }),
    createElement("p", { role: "alert", className: "sign-in-error" }, message),
  );
}

function stepOf(query) {
  return STEPS.find((known) => known === query?.get("step")) ?? "";
}

function restore({ email, password }) {
  const typed = kept();
  if (typed.locale) chosenLocale.set(typed.locale);
  if (typed.email && !email.value) email.value = typed.email;
  // Whoever is quicker than this code is left where they are.
  if (email.value && !password.value) password.focus();
}

function kept() {
  try {
    return JSON.parse(window.sessionStorage.getItem(TYPED)) ?? {};
  } catch {
    return {};
  }
}

function keep(typed) {
  try {
    window.sessionStorage.setItem(TYPED, JSON.stringify(typed));
  } catch {
    // Storage may be forbidden; the address is then typed again.
  }
}

function forget() {
  try {
    window.sessionStorage.removeItem(TYPED);
  } catch {
    // Nothing was kept then.
  }
}
