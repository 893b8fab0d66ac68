// What a person does to events, as calls of the API.

import { eventPath, eventsPath } from "./api.js";
import { draftOf, insertBody, patchBody } from "./drafts.js";
import { occurrenceOf } from "./occurrences.js";

const mailing = (mail) => ({ sendUpdates: mail ? "all" : "none" });

export class Actions {
  /** `feed` tells the zone that times are shown in. */
  constructor(api, account, feed) {
    this.api = api;
    this.account = account;
    this.feed = feed;
  }

  create(draft, { mail }) {
    const body = insertBody(draft, this.feed.zone, this.account);
    const query = mailing(mail);
    return this.api.call("POST", eventsPath(draft.calendarId), { query, body });
  }

  move(occurrence, to) {
    const mail = Boolean(occurrence.event.attendees);
    return this.change(occurrence, { ...draftOf(occurrence), ...to }, { mail });
  }

  /** Store what differs in a draft; without a difference nothing is sent. */
  async change(occurrence, draft, { mail, scope = "one" }) {
    const target = await this.target(occurrence, scope);
    const body = patchBody(
      draftOf(target),
      scope === "all" ? carriedOver(occurrence, draft, target) : draft,
      target.event,
      this.feed.zone,
    );
    if (Object.keys(body).length > 0) {
      await this.call("PATCH", target, mailing(mail), body);
    }
  }

  async answer(occurrence, response, { scope = "one" } = {}) {
    const target = await this.target(occurrence, scope);
    const attendees = target.event.attendees.map((attendee) =>
      attendee.self ? { ...attendee, responseStatus: response } : attendee,
    );
    await this.call("PATCH", target, mailing(true), { attendees });
  }

  async remove(occurrence, { mail, scope = "one" }) {
    await this.call("DELETE", await this.target(occurrence, scope), mailing(mail));
  }

  call(method, { calendar, event }, query, body) {
    const path = eventPath(calendar.id, event.id);
    return this.api.call(method, path, { query, body, etag: event.etag });
  }

  /** The occurrence itself, or the series it belongs to. */
  async target(occurrence, scope) {
    const { calendar, event } = occurrence;
    if (scope === "one" || !event.recurringEventId) {
      return occurrence;
    }
    const path = eventPath(calendar.id, event.recurringEventId);
    const query = { timeZone: this.feed.zone };
    return occurrenceOf(await this.api.call("GET", path, { query }), calendar);
  }
}

/** An occurrence's edits carried over to its series: times as a shift of the first. */
function carriedOver(occurrence, draft, series) {
  const before = draftOf(occurrence);
  const after = draftOf(series);
  for (const name of Object.keys(before)) {
    if (before[name] !== draft[name]) {
      after[name] = draft[name];
    }
  }
  after.start = series.start + (draft.start - occurrence.start);
  after.end = after.start + (draft.end - draft.start);
  return after;
}
