// Numbers in the reader's language.

import { locale } from "../lib/i18n.js";

const formats = new Map();

/** A number as short as a button needs it: 1200 is "1,2 mil" or "1.2K". */
export function CompactCount({ number }) {
  const language = locale.use();
  if (!formats.has(language)) {
    formats.set(language, new Intl.NumberFormat(language, { notation: "compact" }));
  }
  return number < 1000 ? String(number) : formats.get(language).format(number);
}
