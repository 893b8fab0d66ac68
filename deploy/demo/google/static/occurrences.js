// What is drawn: one event of the API, with its wall times and what may be done to it.

import { DAY, parse } from "./time.js";

const WRITERS = new Set(["owner", "writer", "writerWithoutPrivateAccess"]);

export const canWrite = (calendar) => WRITERS.has(calendar.accessRole);

export function occurrenceOf(event, calendar) {
  const allDay = Boolean(event.start.date);
  const own = (event.attendees ?? []).find((attendee) => attendee.self);
  return {
    event,
    calendar,
    allDay,
    key: `${calendar.id} ${event.id}`,
    start: parse(event.start.date ?? event.start.dateTime),
    end: parse(event.end.date ?? event.end.dateTime),
    title: event.summary || (canWrite(calendar) ? "(No title)" : "Busy"),
    response: own?.responseStatus ?? "accepted",
    isGuest: Boolean(own && !own.organizer),
    isEditable: canWrite(calendar) && !event.locked,
    isRepeating: Boolean(event.recurringEventId ?? event.recurrence),
  };
}

/** All-day events and those of a day or longer go above the hours. */
export const isBar = ({ allDay, start, end }) => allDay || end - start >= DAY;
