// Forms of pages for people who are not signed in: their fields, and how they are posted.

import { createElement } from "react";

import "$/utils/catalogs/sign_in.js";

export const FAILED = "general";

/** `{error: code}`, or what the server answers; `general` when it does not. */
export async function post(path, fields) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(fields),
    });
    const told = await answer.json();
    return told.error ? { error: told.error.code } : told;
  } catch {
    return { error: FAILED };
  }
}

/** A label and its control, whose id and name are `name`. */
export function field(label, { name, ...attributes }) {
  return createElement(
    "div",
    { key: name, className: "sign-in-field" },
    createElement("label", { htmlFor: name }, label),
    createElement("input", { id: name, name, required: true, ...attributes }),
  );
}

/** The password's field and its rule. */
export function newPassword(t, shortest, longest) {
  return [
    field(t("New password"), {
      name: "password",
      type: "password",
      autoComplete: "new-password",
      minLength: shortest,
      maxLength: longest,
      "aria-describedby": "password-rule",
    }),
    createElement(
      "p",
      { key: "rule", id: "password-rule", className: "sign-in-help text-quiet" },
      t("At least {n} characters; several words are easy to remember.", { n: shortest }),
    ),
  ];
}
