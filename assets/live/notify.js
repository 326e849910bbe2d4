// Tells of new messages while nobody looks: a soft sound, and a notification when this device
// was allowed to show them. Neither shows what a patient wrote.

import { account } from "$/public/live/account.js";
import { conversationPath } from "$/public/live/filters.js";
import { locale, translate } from "$/public/live/i18n.js";
import { goTo } from "$/public/live/router.js";
import { createStore } from "$/public/live/store.js";

const ALLOWED = "clinic-chat:notify";
const CLAIM = "clinic-chat:claimed";
// A tab that somebody looks at claims a message at once; hidden tabs wait for that.
const CLAIM_MS = 150;
// Background tabs run their timers once a second, or less often.
const HELD_MS = 5000;
const inBrowser = typeof window !== "undefined";

/** Whether this device shows notifications: "on", "off" or "blocked" by the browser. */
export const notifications = createStore("off");

/** Ask for permission, which browsers only grant to a click, or turn notifications off. */
export async function toggleNotifications() {
  if (notifications.get() === "on") {
    window.localStorage.removeItem(ALLOWED);
    notifications.set("off");
    return;
  }
  const permission = await window.Notification?.requestPermission();
  if (permission === "granted") window.localStorage.setItem(ALLOWED, "yes");
  notifications.set(permission === "granted" ? "on" : "blocked");
}

/** Conversations got inbound messages. */
export function arrived(moves, rowOf) {
  for (const { id, state } of moves) {
    const claim = `${id}:${state[2]}`;
    if (!document.hidden) {
      window.localStorage.setItem(CLAIM, claim);
      continue;
    }
    window.setTimeout(() => {
      if (window.localStorage.getItem(CLAIM) === claim) return;
      once(claim, () => {
        window.localStorage.setItem(CLAIM, claim);
        if (account.get().sound) chime();
        if (notifications.get() === "on") show(id, rowOf(id)?.initials ?? "?");
      });
    }, CLAIM_MS);
  }
}

// Of hidden tabs whose time comes in the same moment one tells: they see each other's storage too
// late. Without HTTPS there are no locks, and the tag lets the second replace the first.
function once(claim, tell) {
  if (!navigator.locks) {
    tell();
    return;
  }
  navigator.locks.request(`${CLAIM}:${claim}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    tell();
    await new Promise((done) => window.setTimeout(done, HELD_MS));
  });
}

function show(conversationId, initials) {
  const language = locale.get();
  const t = (text, params) => translate(language, text, params);
  const notification = new Notification(t("New message from {initials}", { initials }), {
    tag: conversationId,
    icon: "/favicon.svg",
    lang: language,
  });
  notification.onclick = () => {
    window.focus();
    goTo(conversationPath(conversationId));
    notification.close();
  };
}

let audio = null;

function chime() {
  if (audio?.state !== "running") return;
  for (const [delay, pitch] of [[0, 660], [0.12, 880]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const start = audio.currentTime + delay;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.06, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.35);
  }
}

if (inBrowser) {
  const granted = window.Notification?.permission === "granted";
  if (granted && window.localStorage.getItem(ALLOWED)) notifications.set("on");
  // Browsers allow sound only after a person has done something on the page.
  window.addEventListener("pointerdown", () => (audio ??= new AudioContext()), { once: true });
}
