// Plain form posts behind menu items.

import * as drafts from "$/public/live/drafts.js";
import * as outbox from "$/public/live/outbox.js";
import { createStore } from "$/public/live/store.js";

/** Whether the person was warned that messages wait and has to decide. */
export const leaving = createStore(false);

/** Sign out; with messages waiting, ask first. */
export function signOut() {
  if (outbox.queued.get() > 0) leaving.set(true);
  else leave();
}

/** Sign out and give up what waits: the next person at this browser must not find it. */
export function leave() {
  leaving.set(false);
  outbox.clear();
  drafts.clear();
  submit("sign-out");
}

export const stay = () => leaving.set(false);

export function switchClinic(slug) {
  document.getElementById("switch-clinic-slug").value = slug;
  submit("switch-clinic");
}

const submit = (id) => document.getElementById(id).requestSubmit();
