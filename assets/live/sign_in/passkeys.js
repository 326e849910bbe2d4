// Passkeys: signing in with one, on its own or as the second step, and adding one in the settings.

import { createElement, useEffect, useRef, useState } from "react";

import { useTranslate } from "../lib/i18n.js";
import { FAILED, post } from "./forms.js";
import { chosenLocale, passkeyError } from "./sign_in.js";

// The server's challenge lasts five minutes; what waits in the autofill gets a new one before.
const RENEWED_MS = 4 * 60_000;
const TOO_LATE = "/login?error=late";
const IP_ADDRESS = /^[\d.]+$|^\[/;
const ABORTED = "aborted";
const CODES = {
  AbortError: ABORTED,
  // Also when nobody answered: browsers do not tell the two apart, so that pages learn nothing.
  NotAllowedError: "passkey_cancelled",
  SecurityError: "passkeys_unavailable",
  InvalidStateError: "passkey_exists",
  ConstraintError: "passkey_unverified",
  NotSupportedError: "passkey_unverified",
};

// A page has one question to passkeys at a time.
let waiting = null;

/** Why there are no passkeys here: "address", "browser", or "" where there are. */
function whyNot() {
  if (!window.isSecureContext || IP_ADDRESS.test(window.location.hostname)) return "address";
  return window.PublicKeyCredential && navigator.credentials ? "" : "browser";
}

/**
 * The button of the sign-in page. `step` is "" for a passkey alone, else that of the second step.
 * `children` is what stands on the button, and `look` its class.
 */
export function PasskeySignIn({ step, children, ...look }) {
  const t = useTranslate();
  // The page is drawn without a browser first, with the button, which most have a use for.
  const [missing, setMissing] = useState("");
  const [busy, setBusy] = useState(false);

  const settle = (told) => {
    if (told.location) window.location.replace(told.location);
    else if (step && told.error === "late") window.location.replace(TOO_LATE);
    else if (told.error !== ABORTED) passkeyError.set(told.error);
    return Boolean(told.location);
  };
  const press = async () => {
    if (busy) return;
    passkeyError.set("");
    setBusy(true);
    const isDone = settle(await signIn(step));
    if (isDone) return;
    setBusy(false);
    if (!step) offerInAutofill(settle);
  };

  useEffect(() => {
    const reason = whyNot();
    setMissing(reason);
    if (reason || step) return undefined;
    return keepOffering(settle);
  }, [step]);

  if (missing && step) {
    return createElement(
      "p",
      { className: "sign-in-help text-quiet" },
      t("There are no passkeys in this browser or at this address. Use a code."),
    );
  }
  return createElement(
    "div",
    { className: "sign-in-passkey", "data-missing": missing || undefined },
    createElement(
      "button",
      {
        type: "button",
        ...look,
        "aria-disabled": busy,
        autoFocus: step === "passkey",
        onClick: press,
      },
      children,
    ),
  );
}

/**
 * The form of a new passkey. `onAdded` is called with the recovery codes that came with it.
 * `messages` are the texts of errors by code.
 */
export function AddPasskey({ messages, longestName, longestPassword, onAdded }) {
  const t = useTranslate();
  const form = useRef(null);
  const [missing, setMissing] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => setMissing(whyNot()), []);

  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError("");
    const { name, password } = form.current.elements;
    const told = await add(name.value, password.value);
    password.value = "";
    setBusy(false);
    setError(told.error ?? "");
    if (told.error) return;
    form.current.reset();
    onAdded(told.codes);
  };

  if (missing) {
    return createElement(
      "p",
      null,
      missing === "address"
        ? t("Passkeys work only at an address with a name and HTTPS. This one is not like that.")
        : t("This browser has no passkeys."),
    );
  }
  return createElement(
    "form",
    { ref: form, className: "settings-form", onSubmit: submit },
    error &&
      createElement(
        "p",
        { role: "alert", className: "settings-alert" },
        messages[error] ?? messages[FAILED],
      ),
    input(t("Name of the passkey, if you like"), "passkey-name", {
      name: "name",
      maxLength: longestName,
      autoComplete: "off",
    }),
    input(t("Your current password"), "passkey-password", {
      name: "password",
      type: "password",
      required: true,
      maxLength: longestPassword,
      autoComplete: "current-password",
    }),
    createElement(
      "button",
      { type: "submit", className: "button button-primary", "aria-disabled": busy },
      t("Add a passkey"),
    ),
  );
}

async function add(name, password) {
  const options = await post("/auth/passkey/new", { password });
  if (options.error) return options;
  try {
    const made = await navigator.credentials.create({ publicKey: inBytes(options) });
    return await post("/auth/passkey/add", {
      name,
      id: made.id,
      clientData: base64url(made.response.clientDataJSON),
      attestation: base64url(made.response.attestationObject),
    });
  } catch (error) {
    return { error: CODES[error.name] ?? FAILED };
  }
}

async function signIn(step, mediation) {
  waiting?.abort();
  const question = new AbortController();
  waiting = question;
  const options = await post("/auth/passkey/options", { step });
  if (options.error) return options;
  try {
    if (question.signal.aborted) return { error: ABORTED };
    const found = await navigator.credentials.get({
      publicKey: inBytes(options),
      signal: question.signal,
      ...(mediation && { mediation }),
    });
    return await post("/auth/passkey", {
      step,
      next: new URLSearchParams(window.location.search).get("next") ?? "",
      locale: chosenLocale.get(),
      id: found.id,
      clientData: base64url(found.response.clientDataJSON),
      authenticatorData: base64url(found.response.authenticatorData),
      signature: base64url(found.response.signature),
      userHandle: found.response.userHandle ? base64url(found.response.userHandle) : "",
    });
  } catch (error) {
    return { error: CODES[error.name] ?? FAILED };
  }
}

/** Offer passkeys among what the browser fills the address in with, as long as the page is open. */
function keepOffering(settle) {
  let timer;
  const begin = async () => {
    if (!(await window.PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    if (timer === null) return;
    timer = setInterval(() => !document.hidden && offerInAutofill(settle), RENEWED_MS);
    offerInAutofill(settle);
  };
  // After what the page needs for its first drawing.
  const idle = window.requestIdleCallback ?? setTimeout;
  idle(begin);
  return () => {
    clearInterval(timer);
    timer = null;
    waiting?.abort();
  };
}

async function offerInAutofill(settle) {
  if (!(await window.PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  const told = await signIn("", "conditional");
  // Nobody asked for anything yet, unless the server refused what was chosen.
  if (told.location || told.error === "passkey_refused" || told.error === "late") settle(told);
}

function input(label, id, attributes) {
  return createElement(
    "div",
    { key: id, className: "settings-field" },
    createElement("label", { htmlFor: id }, label),
    createElement("input", { id, ...attributes }),
  );
}

/** The server's options, with bytes where browsers want bytes. */
function inBytes(options) {
  const described = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
    ...(options.excludeCredentials && {
      excludeCredentials: described(options.excludeCredentials),
    }),
    ...(options.allowCredentials && { allowCredentials: described(options.allowCredentials) }),
  };
}

function bytes(base64) {
  const standard = base64.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(standard), (letter) => letter.charCodeAt(0));
}

function base64url(buffer) {
  const letters = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
