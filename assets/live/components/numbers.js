// Numbers in the reader's language.

import { locale } from "../lib/i18n.js";

const formats = new Map();

/** A number in short form: 1200 is "1,2 mil" or "1.2K". */
export function CompactCount({ number }) {
  const language = locale.use();
  // The first format of a page costs it some milliseconds, and few counts need one.
  if (number < 1000) return String(number);
  if (!formats.has(language)) {
    formats.set(language, new Intl.NumberFormat(language, { notation: "compact" }));
  }
  return formats.get(language).format(number);
}
