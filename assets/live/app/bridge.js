// Bridge: passes Reflex's data to the browser modules (the states' names, the signed-in person,
// the router's address). Renders nothing.

import { useEffect, useLayoutEffect } from "react";
import { useLocation, useNavigate } from "react-router";

import { account } from "../account/account.js";
import { entitle } from "../notifications/unread_badge.js";
import { followTheme } from "./bar_color.js";
import * as filters from "../navigation/filters.js";
import { setLocale } from "../lib/i18n.js";
import * as inbox from "../inbox/inbox.js";
import * as outbox from "../outbox/outbox.js";
import { watchReading } from "../thread/read_marker.js";
import { navigateWith } from "../navigation/router.js";
import { onPlaceChange } from "../thread/scroll.js";
import * as thread from "../thread/thread.js";

const inBrowser = typeof window !== "undefined";
// Effects do not run while the page is rendered at build time.
const useBeforePaint = inBrowser ? useLayoutEffect : useEffect;

export function LiveBridge({
  inboxState,
  threadState,
  phase,
  userId,
  clinic,
  timeZone,
  locale,
  sound,
  clinicName,
  patientName,
}) {
  const { pathname, search } = useLocation();
  const navigate = useNavigate();

  useBeforePaint(() => {
    inbox.start(inboxState);
    thread.start(threadState);
    outbox.onStored(thread.acknowledged);
    onPlaceChange(thread.placeChanged);
    return watchReading();
  }, [inboxState, threadState]);

  useBeforePaint(() => {
    if (userId) account.set({ userId, clinic, timeZone, sound });
  }, [userId, clinic, timeZone, sound]);

  useEffect(() => entitle(clinicName, patientName), [clinicName, patientName]);

  useEffect(followTheme, []);

  useBeforePaint(() => navigateWith(navigate), [navigate]);

  useEffect(() => {
    if (locale) setLocale(locale);
  }, [locale]);

  useBeforePaint(() => {
    filters.readAddress(search);
    thread.openAddress(pathname, search);
  }, [pathname, search]);

  // What the mark has the style sheet show is there now, or another address is.
  useBeforePaint(() => {
    if (phase !== "none" || pathname === "/") delete document.documentElement.dataset.opening;
  }, [phase, pathname]);

  return null;
}
