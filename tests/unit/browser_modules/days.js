// Prints what assets/live/lib/calendar.js and its neighbours make of moments, in a browser whose `Intl`
// writes Canadian dates as ICU 72 does and knows no time zone that is younger than itself.

import { resolve } from "node:path";

const CALENDAR = resolve(import.meta.dir, "../../../assets/live/lib/calendar.js");
const UNKNOWN = "Europe/Kyiv";
const Real = Intl.DateTimeFormat;

Intl.DateTimeFormat = class {
  constructor(language, options = {}) {
    if (options.timeZone === UNKNOWN) throw new RangeError("Invalid time zone specified");
    this.real = new Real(language, options);
  }

  format(at) {
    return this.formatToParts(at)
      .filter(({ type }) => type !== "literal")
      .map(({ value }) => value)
      .join("/");
  }

  formatToParts(at) {
    const order = ["month", "day", "year"];
    return this.real
      .formatToParts(at)
      .sort((one, other) => order.indexOf(one.type) - order.indexOf(other.type));
  }
};

const { dayIn, daysBetween, format } = await import(CALENDAR);
const moments = JSON.parse(process.argv[2]);
console.log(
  JSON.stringify({
    days: moments.map(([at, timeZone]) => dayIn(at, timeZone)),
    again: moments.map(([at, timeZone]) => dayIn(Date.parse(at), timeZone)),
    written: format("en-CA", "UTC", { year: "numeric", month: "2-digit", day: "2-digit" }).format(
      new Date("2026-11-27T12:00Z"),
    ),
    between: daysBetween("2026-11-27", "2026-12-01"),
    unknown: dayIn("2026-11-27T12:00:00Z", UNKNOWN),
  }),
);
