// Tells the browser modules what only Reflex knows: the states' names, who is signed in, and
// where the router is. Renders nothing.

import { useEffect, useLayoutEffect } from "react";
import { useLocation } from "react-router";

import { account } from "$/public/live/account.js";
import { setLocale } from "$/public/live/i18n.js";
import * as inbox from "$/public/live/inbox.js";
import * as outbox from "$/public/live/outbox.js";
import { watchReading } from "$/public/live/reading.js";
import * as thread from "$/public/live/thread.js";

const CONVERSATION = /^\/c\/([^/]+)\/?$/;
const inBrowser = typeof window !== "undefined";
// Effects do not run while the page is rendered at build time.
const useBeforePaint = inBrowser ? useLayoutEffect : useEffect;

export function LiveBridge({ inboxState, threadState, userId, clinic, timeZone, locale }) {
  const { pathname } = useLocation();

  useBeforePaint(() => {
    inbox.start(inboxState);
    thread.start(threadState);
    outbox.onStored(thread.acknowledged);
    return watchReading();
  }, [inboxState, threadState]);

  useBeforePaint(() => {
    if (userId) account.set({ userId, clinic, timeZone });
  }, [userId, clinic, timeZone]);

  useEffect(() => {
    if (locale) setLocale(locale);
  }, [locale]);

  useBeforePaint(() => {
    thread.open(CONVERSATION.exec(pathname)?.[1] ?? "");
  }, [pathname]);

  return null;
}
