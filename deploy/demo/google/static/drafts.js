// What the dialog edits, and the bodies that store it.

import { toHtml, toText } from "./text.js";
import { dayText, stamp } from "./time.js";

export function draftOf({ event, calendar, allDay, start, end }) {
  return {
    allDay,
    start,
    end,
    title: event.summary ?? "",
    location: event.location ?? "",
    description: toText(event.description ?? ""),
    recurrence: (event.recurrence ?? []).join("\n"),
    visibility: event.visibility ?? "default",
    guests: event.attendees ?? [],
    calendarId: calendar.id,
  };
}

export const emptyDraft = (times, calendarId) => ({
  ...times,
  calendarId,
  title: "",
  location: "",
  description: "",
  recurrence: "",
  visibility: "default",
  guests: [],
});

/** The body of a new event; whoever invites guests comes too. */
export function insertBody(draft, zone, account) {
  const guests = draft.guests.length
    ? [{ email: account, responseStatus: "accepted" }, ...draft.guests]
    : [];
  return {
    summary: draft.title,
    ...times(draft, zone, {}),
    ...(draft.location && { location: draft.location }),
    ...(draft.description && { description: toHtml(draft.description) }),
    ...(draft.recurrence && { recurrence: [draft.recurrence] }),
    ...(draft.visibility !== "default" && { visibility: draft.visibility }),
    ...(guests.length && { attendees: guests }),
  };
}

/** The fields of a draft that differ from another, as a body to patch with. */
export function patchBody(before, after, event, zone) {
  const differs = (name) => before[name] !== after[name];
  const body = {};
  if (differs("title")) {
    body.summary = after.title;
  }
  if (differs("location")) {
    body.location = after.location;
  }
  if (differs("description")) {
    body.description = toHtml(after.description);
  }
  if (differs("visibility")) {
    body.visibility = after.visibility;
  }
  if (differs("recurrence")) {
    body.recurrence = after.recurrence ? after.recurrence.split("\n") : null;
  }
  if (differs("guests")) {
    body.attendees = after.guests;
  }
  if (differs("start") || differs("end") || differs("allDay")) {
    Object.assign(body, times(after, zone, event, { cleared: null }));
  }
  return body;
}

/** Start and end, in the event's own zones; a patch also clears the other kind. */
function times({ allDay, start, end }, zone, event, { cleared } = {}) {
  if (allDay) {
    const day = (wall) => ({ date: dayText(wall), dateTime: cleared, timeZone: cleared });
    return { start: day(start), end: day(end) };
  }
  const at = (wall, timeZone) => ({
    dateTime: stamp(wall, zone),
    timeZone,
    date: cleared,
  });
  const startZone = event.start?.timeZone ?? zone;
  return { start: at(start, startZone), end: at(end, event.end?.timeZone ?? startZone) };
}
