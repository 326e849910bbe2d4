// Translation into the reader's language. The catalogs come from clinic_chat/ui/i18n at build time;
// pages with many texts of their own bring their catalog with them.

import { useCallback } from "react";

import { catalogs } from "$/utils/catalogs/main.js";
import { local } from "./storage.js";
import { createStore } from "./store.js";

const STORED = "clinic-chat:locale";
const FALLBACK = "pt-BR";
const rules = {};
const inBrowser = typeof window !== "undefined";

export const locale = createStore(FALLBACK);

/** Switch the language of everything on the screen, at once and for the next visit. */
export function setLocale(next) {
  if (!(next in catalogs)) return;
  locale.set(next);
  if (!inBrowser) return;
  document.documentElement.lang = next;
  local.setItem(STORED, next);
}

/** Add texts by language and English text. A page's module does so before the page is drawn. */
export function addTexts(more) {
  for (const [language, texts] of Object.entries(more)) Object.assign(catalogs[language], texts);
}

/** The translation of `text` with `{name}` replaced; plurals go by `params.n`. */
export function translate(language, text, params = {}) {
  const entry = catalogs[language]?.[text] ?? text;
  const pattern = Array.isArray(entry) ? entry[pluralForm(language, params.n, entry)] : entry;
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);
}

export function useTranslate() {
  const language = locale.use();
  return useCallback((text, params) => translate(language, text, params), [language]);
}

function pluralForm(language, n, forms) {
  rules[language] ??= new Intl.PluralRules(language);
  return rules[language].select(n) === "one" ? 0 : forms.length - 1;
}

function preferred() {
  const stored = local.getItem(STORED);
  if (stored && stored in catalogs) return stored;
  for (const language of navigator.languages ?? []) {
    const short = language.slice(0, 2).toLowerCase();
    const known = Object.keys(catalogs).find((name) => name.slice(0, 2) === short);
    if (known) return known;
  }
  return "en";
}

if (inBrowser) {
  const found = preferred();
  locale.set(found);
  document.documentElement.lang = found;
}
