// Wall times, as whole minutes since 1970 as if every zone were UTC.

export const DAY = 24 * 60;

const pad = (number) => String(number).padStart(2, "0");
const date = (wall) => new Date(wall * 60_000);

/** Minutes of "2026-11-24" or "2026-11-24T10:30". */
export function parse(text) {
  const [day, time = "00:00"] = text.split("T");
  return Date.parse(`${day}T${time.slice(0, 5)}Z`) / 60_000;
}

export const dayOf = (wall) => Math.floor(wall / DAY) * DAY;

export const dayText = (wall) => date(wall).toISOString().slice(0, 10);

export const timeText = (wall) => date(wall).toISOString().slice(11, 16);

export function label(wall, options) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options }).format(
    date(wall),
  );
}

const CLOCK = {
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
};
const clocks = new Map();

function clockOf(zone) {
  if (!clocks.has(zone)) {
    clocks.set(zone, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...CLOCK }));
  }
  return clocks.get(zone);
}

/** The zone, or UTC for one that the server knows and this browser does not. */
export function usable(zone) {
  try {
    clockOf(zone);
    return zone;
  } catch {
    return "UTC";
  }
}

/** What a zone's clocks show at an instant. */
export function wallIn(zone, instant) {
  const parts = clockOf(zone).formatToParts(instant);
  const { year, month, day, hour, minute } = Object.fromEntries(
    parts.map(({ type, value }) => [type, value]),
  );
  return parse(`${year.padStart(4, "0")}-${month}-${day}T${hour}:${minute}`);
}

/** RFC 3339 in a zone, with its offset then. */
export function stamp(wall, zone) {
  const ahead = (instant) => wallIn(zone, instant * 60_000) - instant;
  const offset = ahead(wall - ahead(wall));
  const size = Math.abs(offset);
  const shift = `${offset < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
  return `${dayText(wall)}T${timeText(wall)}:00${shift}`;
}

/** "1 h 30 min" */
export function lengthText(minutes) {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours && `${hours} h`, (rest || !hours) && `${rest} min`]
    .filter(Boolean)
    .join(" ");
}
