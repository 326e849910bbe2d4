// Notifications of new messages while nobody uses the page: a soft sound, and a notification if
// this device allows it. Neither shows a patient's text. Messages in a person's own conversations
// also make the sound while they use the page.

import { account } from "../account/account.js";
import { someoneAttends } from "./attendance.js";
import { chime, unlockSound } from "./chime.js";
import { conversationPath } from "../navigation/filters.js";
import { locale, translate } from "../lib/i18n.js";
import { goTo } from "../navigation/router.js";
import { safely } from "../lib/safely.js";
import { local } from "../lib/storage.js";
import { createStore } from "../lib/store.js";

const ALLOWED = "clinic-chat:notify";
const CLAIM = "clinic-chat:claimed";
// A tab that somebody attends to claims a message at once; then those that can be seen, then
// hidden ones, wait for that.
const CLAIM_MS = 150;
// Background tabs run their timers once a second, or less often.
const HELD_MS = 5000;
const PERMISSIONS = { granted: "on", denied: "blocked" };
const inBrowser = typeof window !== "undefined";

/**
 * Whether this device shows notifications: "on", "off", "blocked" by the browser, or
 * "unavailable" where this browser shows none to a page.
 */
export const notifications = createStore("off");

/** Ask for permission, which browsers only grant to a click, or turn notifications off. */
export async function toggleNotifications() {
  if (notifications.get() === "on") {
    turnOff("off");
    return;
  }
  try {
    const permission = await window.Notification.requestPermission();
    // A question that was only dismissed may be asked again.
    if (permission !== "granted") {
      notifications.set(PERMISSIONS[permission] ?? "off");
      return;
    }
    // Permission is no ability: Chrome on Android grants it and shows none to a page. So one is
    // shown, which also tells a person what they look like.
    create(t("Notifications are on for this device"), { tag: ALLOWED });
    local.setItem(ALLOWED, "yes");
    notifications.set("on");
  } catch {
    turnOff("unavailable");
  }
}

/** Notify of inbound messages in these conversations. */
export function arrived(moves, rowOf) {
  for (const { id, state } of moves) {
    const claim = `${id}:${state[2]}`;
    const row = rowOf(id);
    if (claimAttended(claim, row)) continue;
    const tell = () => {
      local.setItem(CLAIM, claim);
      sound();
      if (document.hidden && notifications.get() === "on") show(id, row?.initials ?? "?");
    };
    window.setTimeout(
      () => {
        if (local.getItem(CLAIM) === claim || claimAttended(claim, row)) return;
        once(claim, tell);
      },
      document.hidden ? 2 * CLAIM_MS : CLAIM_MS,
    );
  }
}

// Who attends to this tab needs no telling, but for what came to their own conversations.
function claimAttended(claim, row) {
  if (!someoneAttends()) return false;
  local.setItem(CLAIM, claim);
  if (row?.assigned_to_me) once(claim, sound);
  return true;
}

const sound = () => account.get().sound && safely(chime);

// Of tabs whose time comes in the same moment one tells: they see each other's storage too late.
// Without HTTPS there are no locks, and the tag lets the second replace the first.
async function once(claim, tell) {
  let told = false;
  const first = () => {
    told = true;
    safely(tell);
  };
  try {
    await navigator.locks.request(`${CLAIM}:${claim}`, { ifAvailable: true }, async (lock) => {
      if (!lock) {
        told = true;
        return;
      }
      first();
      await new Promise((done) => window.setTimeout(done, HELD_MS));
    });
  } catch {
    if (!told) first();
  }
}

function show(conversationId, initials) {
  try {
    const title = t("New message from {initials}", { initials });
    const notification = create(title, { tag: conversationId });
    notification.onclick = () => {
      window.focus();
      goTo(conversationPath(conversationId));
      notification.close();
    };
  } catch {
    turnOff("unavailable");
  }
}

const t = (text, params) => translate(locale.get(), text, params);

const create = (title, options) =>
  new window.Notification(title, { icon: "/favicon.svg", lang: locale.get(), ...options });

function turnOff(state) {
  local.removeItem(ALLOWED);
  notifications.set(state);
}

function initialState() {
  if (!window.Notification) return "unavailable";
  const { permission } = window.Notification;
  if (permission === "granted") return local.getItem(ALLOWED) ? "on" : "off";
  return PERMISSIONS[permission] ?? "off";
}

if (inBrowser) {
  notifications.set(safely(initialState) ?? "unavailable");
  unlockSound();
}
