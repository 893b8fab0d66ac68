// The dialog that shows, creates and edits one event.

import { draftOf } from "./drafts.js";
import { Guests } from "./guests.js";
import { canWrite } from "./occurrences.js";
import { DAY, dayText, parse, timeText } from "./time.js";

const find = (id) => document.getElementById(id);
const DEFAULT_START = "09:00";

export class Editor {
  /** `on` has save, remove, answer and closed; the first three may reject. */
  constructor(on) {
    this.on = on;
    this.dialog = find("editor");
    this.form = find("editor-form");
    this.fields = this.form.elements;
    this.guests = new Guests((guests) => {
      find("mailing").hidden = guests.length === 0;
    });
    this.listen();
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    for (const id of ["editor-close", "editor-cancel"]) {
      find(id).addEventListener("click", () => this.dialog.close());
    }
    find("editor-delete").addEventListener("click", () =>
      this.attempt(() => this.on.remove(this.occurrence, this.choices())),
    );
    find("answers").addEventListener("click", ({ target }) => {
      const { answer } = target.dataset;
      if (answer) {
        this.attempt(() => this.on.answer(this.occurrence, answer, this.choices()));
      }
    });
    this.dialog.addEventListener("close", () => this.on.closed());
    this.fields.allDay.addEventListener("change", () => this.showTimes());
    find("scopes").addEventListener("change", () => this.showRecurrence());
    for (const name of ["startDay", "startTime"]) {
      this.fields[name].addEventListener("change", () => this.keepLength());
    }
  }

  /** Show an occurrence, or without one a draft of a new event. */
  open({ occurrence = null, draft = draftOf(occurrence), calendars, zone }) {
    this.occurrence = occurrence;
    this.draft = draft;
    const isEditable = occurrence?.isEditable ?? true;
    find("editor-title").textContent = occurrence ? "Event" : "New event";
    find("editor-delete").hidden = !occurrence || !isEditable;
    find("editor-save").hidden = !isEditable;
    find("editor-cancel").textContent = isEditable ? "Cancel" : "Close";
    find("editor-zone").textContent = `Times are in ${zone.replaceAll("_", " ")}.`;
    find("editor-error").hidden = true;
    this.showNote();
    this.showAnswers();
    find("scopes").hidden = !occurrence?.event.recurringEventId || !isEditable;
    this.fill(calendars, isEditable);
    this.dialog.showModal();
    (isEditable ? this.fields.title : find("editor-cancel")).focus();
  }

  fill(calendars, isEditable) {
    const { draft, fields } = this;
    for (const name of ["title", "location", "description", "visibility"]) {
      fields[name].value = draft[name];
    }
    fields.scope.value = "one";
    fields.allDay.checked = draft.allDay;
    fields.mail.checked = true;
    this.fillTimes();
    this.fillCalendars(calendars);
    this.guests.show(draft.guests, { isEditable });
    for (const field of this.form.querySelectorAll("input, select, textarea")) {
      field.disabled = !isEditable;
    }
    fields.calendar.disabled = this.occurrence !== null;
    this.showTimes();
    this.showRecurrence();
  }

  fillTimes() {
    const { draft, fields } = this;
    const { start, end, allDay } = draft;
    fields.startDay.value = dayText(start);
    fields.endDay.value = dayText(allDay ? end - DAY : end);
    fields.startTime.value = allDay ? DEFAULT_START : timeText(start);
    fields.endTime.value = allDay ? "10:00" : timeText(end);
    this.length = end - start;
  }

  fillCalendars(calendars) {
    const choices = calendars.filter(
      (calendar) => canWrite(calendar) || calendar.id === this.draft.calendarId,
    );
    const options = choices.map(({ id, name }) => new Option(name, id));
    this.fields.calendar.replaceChildren(...options);
    this.fields.calendar.value = this.draft.calendarId;
  }

  showNote() {
    const notes = this.occurrence ? notesOn(this.occurrence) : [];
    find("editor-note").textContent = notes.join(" ");
    find("editor-note").hidden = notes.length === 0;
  }

  showAnswers() {
    find("answers").hidden = !this.occurrence?.isGuest || !this.occurrence.isEditable;
    for (const button of find("answers").querySelectorAll("[data-answer]")) {
      const isPressed = button.dataset.answer === this.occurrence?.response;
      button.setAttribute("aria-pressed", String(isPressed));
    }
  }

  showTimes() {
    for (const field of this.form.querySelectorAll("[data-timed]")) {
      field.hidden = this.fields.allDay.checked;
    }
    find("editor-zone").hidden = this.fields.allDay.checked;
    this.length = this.times().end - this.times().start;
  }

  /** A rule can be set on a new or single event and on a series, not on an occurrence. */
  showRecurrence() {
    const { recurrence, scope } = this.fields;
    const isOccurrence = Boolean(this.occurrence?.event.recurringEventId);
    recurrence.querySelector("[data-kept]")?.remove();
    recurrence.value = this.draft.recurrence;
    if (isOccurrence || recurrence.selectedIndex < 0) {
      const kept = new Option(isOccurrence ? "As the series does" : "By its own rule");
      kept.value = this.draft.recurrence || "kept";
      kept.dataset.kept = "";
      recurrence.prepend(kept);
      recurrence.value = kept.value;
    }
    const isLocked = isOccurrence && scope.value === "one";
    recurrence.disabled = isLocked || this.fields.title.disabled;
  }

  times() {
    const { allDay, startDay, startTime, endDay, endTime } = this.fields;
    if (allDay.checked) {
      const start = parse(startDay.value);
      return { allDay: true, start, end: parse(endDay.value) + DAY };
    }
    const start = parse(`${startDay.value}T${startTime.value}`);
    return { allDay: false, start, end: parse(`${endDay.value}T${endTime.value}`) };
  }

  keepLength() {
    const { start, allDay } = this.times();
    if (Number.isNaN(start) || !(this.length > 0)) {
      return;
    }
    const end = start + this.length;
    this.fields.endDay.value = dayText(allDay ? end - DAY : end);
    if (!allDay) {
      this.fields.endTime.value = timeText(end);
    }
  }

  read() {
    const { title, location, description, visibility, recurrence, calendar } = this.fields;
    const rule = recurrence.value === "kept" ? this.draft.recurrence : recurrence.value;
    return {
      ...this.times(),
      title: title.value.trim(),
      location: location.value.trim(),
      description: description.value,
      visibility: visibility.value,
      recurrence: rule,
      guests: this.guests.guests,
      calendarId: calendar.value,
    };
  }

  choices() {
    const hasGuests = this.guests.guests.length > 0 || this.draft.guests.length > 0;
    return {
      mail: hasGuests && this.fields.mail.checked,
      scope: this.fields.scope.value,
    };
  }

  save() {
    if (!this.guests.add()) {
      return;
    }
    const draft = this.read();
    const problem = problemOf(draft);
    if (problem) {
      this.fail(problem);
      return;
    }
    this.attempt(() => this.on.save(this.occurrence, draft, this.choices()));
  }

  /** Do something and close; what was refused stays open with the reason. */
  async attempt(act) {
    this.form.inert = true;
    try {
      await act();
      this.dialog.close();
    } catch (error) {
      this.fail(error.message);
    } finally {
      this.form.inert = false;
    }
  }

  fail(message) {
    find("editor-error").textContent = message;
    find("editor-error").hidden = false;
  }
}

function notesOn({ event, isEditable, isGuest }) {
  const notes = [];
  if (isGuest && event.organizer) {
    const { displayName, email } = event.organizer;
    notes.push(`${displayName ?? email} invites you.`);
  }
  if (!isEditable) {
    notes.push("You can look at this event, but not change it.");
  } else if (isGuest && !event.guestsCanModify) {
    notes.push("Changes you make stay in your own calendar.");
  }
  return notes;
}

function problemOf({ start, end }) {
  if (Number.isNaN(start) || Number.isNaN(end)) {
    return "Give the day and time of both start and end.";
  }
  return end < start ? "The end is before the start." : null;
}
