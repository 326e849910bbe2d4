// Sign-in page: the error of the last attempt, the form's kept values, showing the password, and the
// way to a clinic's identity provider.

import { createElement, Fragment, useEffect, useRef, useState } from "react";

import { setLocale } from "../lib/i18n.js";
import { createStore } from "../lib/store.js";
import { FAILED } from "./forms.js";

// Kept for this tab between a try and its answer, which is a new page.
const TYPED = "clinic-chat:sign-in";
// The clinic whose provider was chosen last in this browser.
const CLINIC = "clinic-chat:sso-clinic";
// The clinic's provider, or what a second step asks for, by what the person has set up.
const STEPS = ["sso", "code", "passkey", "either"];
// The session was over before; nothing was typed here.
const NO_TRY = "ended";

export const passwordShown = createStore(false);
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

/** Load the step that a link leads to, with the same `next`. The router would draw nothing anew. */
export function loadStep(event) {
  event.preventDefault();
  const address = new URL(event.currentTarget.href);
  const next = new URLSearchParams(window.location.search).get("next");
  if (next) address.searchParams.set("next", next);
  window.location.assign(address);
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
    if (form.elements.clinic) return fillInClinic(form, found);
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

function fillInClinic(form, query) {
  const { clinic } = form.elements;
  if (!clinic.value) clinic.value = query.get("clinic") ?? stored(CLINIC);
  const go = (event) => {
    // The page's policy lets no form lead to another site, which is where this one ends.
    event.preventDefault();
    const slug = clinic.value.trim().toLowerCase();
    store(CLINIC, slug);
    const onward = query.get("next");
    const start = new URLSearchParams({ clinic: slug, ...(onward ? { next: onward } : {}) });
    window.location.assign(`/auth/sso/start?${start}`);
  };
  form.addEventListener("submit", go);
  return () => form.removeEventListener("submit", go);
}

function stored(key) {
  try {
    return window.localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function store(key, value) {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden; the name is then typed again.
  }
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
