// What the dialog edits, and the fields of a task that it stands for.

import { dayText, parse, stamp, timeText, usable, wallIn } from "./time.js";

const MORNING = "09:00";

/** A draft of a task; its times are in the task's own zone, or in its owner's. */
export function draftOf(task, zoneOf) {
  const zone = task.time_zone ?? "";
  const start = task.due_at
    ? wallIn(usable(zone || zoneOf(task.owner_id)), Date.parse(task.due_at))
    : null;
  return {
    title: task.title,
    type: task.type,
    allDay: Boolean(task.due_date),
    day: task.due_date ?? (start === null ? "" : dayText(start)),
    time: start === null ? MORNING : timeText(start),
    minutes: text(task.duration_minutes),
    days: text(task.duration_days),
    zone,
    owner: task.owner_id,
    location: task.location ?? "",
    guests: task.attendees ?? [],
    description: task.description ?? "",
  };
}

export const emptyDraft = (owner, wall) => ({
  title: "",
  type: "Meeting",
  allDay: false,
  day: dayText(wall),
  time: timeText(wall),
  minutes: "60",
  days: "",
  zone: "",
  owner,
  location: "",
  guests: [],
  description: "",
});

/** The fields that a draft changes; without an earlier one all that have a value. */
export function fieldsOf(draft, before, zoneOf) {
  const all = allFields(draft, zoneOf);
  if (!before) {
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  }
  const old = allFields(before, zoneOf);
  const differs = ([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name]);
  return Object.fromEntries(Object.entries(all).filter(differs));
}

function allFields(draft, zoneOf) {
  const { allDay, day, time, zone, owner } = draft;
  const isTimed = Boolean(day) && !allDay;
  return {
    title: draft.title,
    type: draft.type,
    due_at: isTimed ? stamp(parse(`${day}T${time}`), usable(zone || zoneOf(owner))) : null,
    due_date: allDay ? day : null,
    duration_minutes: isTimed ? number(draft.minutes) : null,
    duration_days: allDay ? number(draft.days) : null,
    time_zone: zone || null,
    owner_id: owner,
    location: draft.location || null,
    attendees: draft.guests,
    description: draft.description || null,
  };
}

const text = (value) => (value === null || value === undefined ? "" : String(value));

const number = (value) => (value === "" ? null : Number(value));
