// When tasks are due, in the time zone of whoever looks at them.

import { DAY, dayOf, dayText, label, parse, timeText, wallIn } from "./time.js";

/** First and last minute of a task and whether it takes whole days; null without a day. */
export function dueOf(task, zone) {
  if (task.due_date) {
    const start = parse(task.due_date);
    return { start, end: start + (task.duration_days ?? 1) * DAY, allDay: true };
  }
  if (task.due_at) {
    const start = wallIn(zone, Date.parse(task.due_at));
    return { start, end: start + (task.duration_minutes ?? 0), allDay: false };
  }
  return null;
}

/** "10:00 – 11:30", "all day", "until 26 November" */
export function spanText({ start, end, allDay }) {
  if (allDay) {
    const days = (end - start) / DAY;
    return days > 1 ? `until ${dayLabel(end - DAY)}` : "all day";
  }
  if (end === start) {
    return timeText(start);
  }
  const isLong = dayOf(end - 1) !== dayOf(start);
  return `${timeText(start)} – ${isLong ? `${dayLabel(end)} ` : ""}${timeText(end)}`;
}

const dayLabel = (wall) => label(wall, { day: "numeric", month: "short" });

/** "Today", "Tomorrow" or the weekday, and the date. */
export function headingOf(day, today) {
  const near = { [-DAY]: "Yesterday", 0: "Today", [DAY]: "Tomorrow" }[day - today];
  const isThisYear = dayText(day).slice(0, 4) === dayText(today).slice(0, 4);
  return {
    near,
    date: label(day, {
      weekday: "long",
      day: "numeric",
      month: "long",
      ...(!isThisYear && { year: "numeric" }),
    }),
  };
}
