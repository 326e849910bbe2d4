// Account: the person signed in in this tab, as the server tells (clinic_chat/ui/account/state.py).

import { setLocale } from "../lib/i18n.js";
import { request } from "../connection/request.js";
import { notice } from "../components/notices.js";
import { createStore } from "../lib/store.js";

export const account = createStore({ userId: "", clinic: "", timeZone: "UTC", sound: true });

/** Switch the language now, and remember it for this person on every device. */
export function chooseLocale(locale) {
  setLocale(locale);
  save({ locale });
}

/** Set whether new messages make a sound, on every device. */
export function chooseSound(sound) {
  account.update({ sound });
  save({ sound });
}

async function save(preferences) {
  const { error } = await request("account:preferences", preferences);
  if (error) notice(error.code);
}
