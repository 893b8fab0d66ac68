// Wall times, as whole minutes since 1970 as if every zone were UTC. The API renders
// times in the zone it is asked for, so the grid never converts; only writing does.

export const DAY = 24 * 60;

const pad = (number) => String(number).padStart(2, "0");
const date = (wall) => new Date(wall * 60_000);

/** Minutes of "2026-11-24" or "2026-11-24T10:30:00+01:00"; the offset is left aside. */
export function parse(text) {
  const [day, time = "00:00"] = text.split("T");
  return Date.parse(`${day}T${time.slice(0, 5)}Z`) / 60_000;
}

export const dayOf = (wall) => Math.floor(wall / DAY) * DAY;

export const dayText = (wall) => date(wall).toISOString().slice(0, 10);

export const timeText = (wall) => date(wall).toISOString().slice(11, 16);

export function mondayOf(wall) {
  const weekday = (date(wall).getUTCDay() + 6) % 7;
  return dayOf(wall) - weekday * DAY;
}

export function label(wall, options) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options }).format(
    date(wall),
  );
}

/** "Tuesday 24 November, 10:00 to 11:00", or without times for all-day events. */
export function span({ start, end, allDay }) {
  const day = (wall) => label(wall, { weekday: "long", day: "numeric", month: "long" });
  const last = allDay ? end - DAY : end;
  if (dayOf(start) === dayOf(last)) {
    return allDay ? day(start) : `${day(start)}, ${timeText(start)} to ${timeText(end)}`;
  }
  const at = (wall) => (allDay ? day(wall) : `${day(wall)} ${timeText(wall)}`);
  return `${at(start)} to ${at(last)}`;
}

export function wallIn(zone, instant) {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).formatToParts(instant);
  const { year, month, day, hour, minute } = Object.fromEntries(
    parts.map(({ type, value }) => [type, value]),
  );
  return parse(`${year}-${month}-${day}T${hour}:${minute}`);
}

/** How far a zone's clocks are ahead of UTC at a wall time, in minutes. */
export function offsetAt(wall, zone) {
  const ahead = (instant) => wallIn(zone, instant * 60_000) - instant;
  const guess = ahead(wall);
  return ahead(wall - guess);
}

/** RFC 3339 with the zone's offset. */
export function stamp(wall, zone) {
  const offset = offsetAt(wall, zone);
  const size = Math.abs(offset);
  const sign = offset < 0 ? "-" : "+";
  const shift = `${sign}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
  return `${dayText(wall)}T${timeText(wall)}:00${shift}`;
}

export function zoneLabel(zone, wall) {
  const offset = offsetAt(wall, zone);
  const size = Math.abs(offset);
  const minutes = size % 60 ? `:${pad(size % 60)}` : "";
  const place = zone.split("/").pop().replaceAll("_", " ");
  return { place, shift: `UTC${offset < 0 ? "−" : "+"}${Math.floor(size / 60)}${minutes}` };
}
