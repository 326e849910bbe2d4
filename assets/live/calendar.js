// Moments and days in a time zone.

const DAY_MS = 24 * 60 * 60_000;
const DAY = { year: "numeric", month: "2-digit", day: "2-digit" };
const formats = new Map();

/** The browser's format for a language, a time zone and Intl's options, made once. */
export function format(language, timeZone, options) {
  const key = JSON.stringify([language, timeZone, options]);
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(language, { ...options, timeZone }));
  }
  return formats.get(key);
}

/** The calendar day of a moment in a time zone, as YYYY-MM-DD. */
export function dayIn(at, timeZone) {
  return format("en-CA", timeZone, DAY).format(new Date(at));
}

/** How many days the second of two days (YYYY-MM-DD) is after the first. */
export const daysBetween = (from, to) =>
  Math.round((Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / DAY_MS);
