// Signing out and switching clinics, from the account menu.

import { SIGN_IN, hidePage, leave as leavePage } from "../connection/connection.js";
import { forgetSearch } from "../inbox/views.js";
import * as drafts from "../outbox/drafts.js";
import { notice } from "../components/notices.js";
import * as outbox from "../outbox/outbox.js";
import { createStore } from "../lib/store.js";

const SIGN_OUT_MS = 10_000;

/** Whether the question about unsent messages is open. */
export const leaving = createStore(false);

/** Sign out; if messages wait, ask first. */
export function signOut() {
  if (outbox.queued.get() > 0) leaving.set(true);
  else leave();
}

/** Sign out and delete unsent messages and drafts, which the next person here must not find. */
export async function leave() {
  leaving.set(false);
  // The socket may hear of the session's end before the answer comes.
  const remain = leavePage();
  // Not a form post, which would leave the page also when the server cannot be reached, and
  // with it the wrong idea of being signed out.
  if (!(await signedOut())) {
    remain();
    notice("still_signed_in");
    return;
  }
  outbox.clear();
  drafts.clear();
  forgetSearch();
  hidePage();
  // Not a new entry in the history: Back must not lead to what was open.
  window.location.replace(SIGN_IN);
}

async function signedOut() {
  // Safari before 16 has no AbortSignal.timeout.
  const patience = new AbortController();
  const timer = window.setTimeout(() => patience.abort(), SIGN_OUT_MS);
  try {
    const answer = await fetch("/auth/logout", {
      method: "POST",
      headers: { Accept: "application/json" },
      signal: patience.signal,
    });
    return answer.ok;
  } catch {
    return false;
  } finally {
    window.clearTimeout(timer);
  }
}

export const stay = () => leaving.set(false);

export function switchClinic(slug) {
  // The old session ends with the switch; nobody needs to be sent to sign in for that.
  leavePage();
  document.getElementById("switch-clinic-slug").value = slug;
  document.getElementById("switch-clinic").submit();
}
