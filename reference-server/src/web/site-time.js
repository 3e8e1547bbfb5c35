// Days of the site and times of its clocks, as text: the zone of the browser that shows them is no matter.
import { format, number, region } from "./text.js";

// Days are those of the Gregorian calendar in every language, as in the server's answers and exports.
const shown = (moment, options) =>
  format("DateTimeFormat", { calendar: "gregory", timeZone: "UTC", ...options }).format(moment);
const moment = (day) => new Date(`${day.slice(0, 10)}T00:00:00Z`);

export const day = (iso, options = { dateStyle: "medium" }) => shown(moment(iso), options);
export const weekday = (iso, width = "short") => day(iso, { weekday: width });
// `2026-11` or a day of that month.
export const month = (iso) => day(`${iso.slice(0, 7)}-01`, { month: "long", year: "numeric" });
// `08:15`, with seconds or without.
export const timeOf = (time) => shown(new Date(`1970-01-01T${time}Z`), { timeStyle: "short" });
export const percent = (part) => number(part, { style: "percent", maximumFractionDigits: 1 });

// From 1 for Monday to 7.
export const weekdayNumber = (iso) => moment(iso).getUTCDay() || 7;
export function weekBegins() {
  const known = new Intl.Locale(region());
  return (known.getWeekInfo?.() ?? known.weekInfo)?.firstDay ?? 1;
}
export function later(iso, days) {
  const there = moment(iso);
  there.setUTCDate(there.getUTCDate() + days);
  return there.toISOString().slice(0, 10);
}
