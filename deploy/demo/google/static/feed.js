// The events of the shown week, kept up to date by asking what changed.

import { eventsPath } from "./api.js";
import { occurrenceOf } from "./occurrences.js";
import { DAY, stamp } from "./time.js";

const HTTP_GONE = 410;

export class Feed {
  /** `name` is what the person's own calendar is called. */
  constructor(api, name) {
    this.api = api;
    this.name = name;
    this.calendars = [];
    this.zone = "UTC";
    this.monday = 0;
    this.events = new Map();
    this.tokens = new Map();
  }

  async open() {
    const calendars = await this.api.all("/users/me/calendarList");
    calendars.sort((a, b) => Boolean(b.primary) - Boolean(a.primary));
    this.calendars = calendars.map((calendar, index) => ({
      ...calendar,
      index,
      name: calendar.summaryOverride ?? (calendar.primary ? this.name : calendar.summary),
    }));
    this.zone = this.calendars[0]?.timeZone ?? "UTC";
  }

  show(monday) {
    this.monday = monday;
    this.events.clear();
  }

  occurrences(isShown) {
    const shown = this.calendars.filter(isShown);
    return shown.flatMap(({ id }) => this.events.get(id) ?? []);
  }

  async load(calendars = this.calendars) {
    await Promise.all(calendars.map((calendar) => this.loadCalendar(calendar)));
  }

  async loadCalendar(calendar) {
    const { monday, zone } = this;
    const listed = await this.api.all(eventsPath(calendar.id), {
      singleEvents: "true",
      timeMin: stamp(monday, zone),
      timeMax: stamp(monday + 7 * DAY, zone),
      timeZone: zone,
      maxResults: "2500",
    });
    if (monday === this.monday) {
      const living = listed.filter(({ status }) => status !== "cancelled");
      const occurrences = living.map((event) => occurrenceOf(event, calendar));
      this.events.set(calendar.id, occurrences);
    }
  }

  /** Load what changed since the last time; says whether anything did. */
  async follow() {
    const flags = await Promise.all(this.calendars.map((c) => this.hasChanged(c)));
    const changed = this.calendars.filter((_, index) => flags[index]);
    await this.load(changed);
    return changed.length > 0;
  }

  /** Without a token everything is new; one that died is replaced by the next call. */
  async hasChanged({ id }) {
    try {
      const { count, token } = await this.api.changes(id, this.tokens.get(id));
      this.tokens.set(id, token);
      return count > 0;
    } catch (error) {
      if (error.status !== HTTP_GONE) {
        throw error;
      }
      this.tokens.delete(id);
      return true;
    }
  }
}
