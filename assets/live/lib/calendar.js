// Calendar: formats moments and finds their days in a time zone.

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
// No time zone of today changes its day within a quarter of an hour of UTC.
const SLOT_MS = 15 * MINUTE_MS;
const SLOTS_KEPT = 10_000;
const PARTS = { year: "numeric", month: "2-digit", day: "2-digit" };
const formats = new Map();
const days = new Map();

/**
 * The browser's format for a language, a time zone and Intl's options, cached. Its texts are for
 * people only, because order and signs differ between versions of a browser.
 */
export function format(language, timeZone, options) {
  const key = JSON.stringify([language, timeZone, options]);
  if (!formats.has(key)) formats.set(key, newFormat(language, timeZone, options));
  return formats.get(key);
}

function newFormat(language, timeZone, options) {
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // A time zone that this browser is too old to know: the device's own is the likeliest.
    return new Intl.DateTimeFormat(language, options);
  }
}

/** The calendar day of a moment in a time zone, as YYYY-MM-DD. */
export function dayIn(at, timeZone) {
  const time = typeof at === "number" ? at : Date.parse(at);
  const slot = `${timeZone} ${Math.floor(time / SLOT_MS)}`;
  let day = days.get(slot);
  if (day === undefined) {
    if (days.size >= SLOTS_KEPT) days.clear();
    day = readDay(time, timeZone);
    days.set(slot, day);
  }
  return day;
}

// By its parts: how they are put together is the browser's choice (CLDR-16399).
function readDay(time, timeZone) {
  const day = { year: "", month: "", day: "" };
  for (const { type, value } of format("en-US", timeZone, PARTS).formatToParts(time)) {
    if (type in day) day[type] = value;
  }
  return `${day.year.padStart(4, "0")}-${day.month.padStart(2, "0")}-${day.day.padStart(2, "0")}`;
}

/** The number of days from the first to the second of two days (YYYY-MM-DD). */
export const daysBetween = (from, to) =>
  Math.round((Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / DAY_MS);
