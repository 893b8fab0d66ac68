// The dialog that shows, creates and edits one task.

import { fieldsOf } from "./drafts.js";
import { Guests } from "./guests.js";
import { badge } from "./list.js";

const TYPES = ["Meeting", "Call", "To-do", "E-mail"];
const NAMES = [
  "title", "type", "day", "time", "minutes", "days", "zone", "owner", "location", "description",
];
/** Where the server's complaint about a field belongs. */
const FIELDS = {
  due_at: "day",
  due_date: "day",
  duration_minutes: "minutes",
  duration_days: "days",
  time_zone: "zone",
  owner_id: "owner",
};

const find = (id) => document.getElementById(id);

export class Editor {
  /** `on` has save(task, fields) and remove(task), which may reject, and closed(task). */
  constructor(users, zoneOf, on) {
    this.zoneOf = zoneOf;
    this.on = on;
    this.dialog = find("editor");
    this.form = find("editor-form");
    this.fields = this.form.elements;
    this.guests = new Guests();
    this.fields.owner.append(...users.map(({ id, name }) => new Option(name, id)));
    this.listen();
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    find("editor-close").addEventListener("click", () => this.dialog.close());
    find("editor-delete").addEventListener("click", () => this.remove());
    for (const button of this.form.querySelectorAll("[data-status]")) {
      button.addEventListener("click", () => this.save({ status: button.dataset.status }));
    }
    this.dialog.addEventListener("close", () => this.on.closed(this.task));
    this.fields.allDay.addEventListener("change", () => this.showTimes());
    this.fields.owner.addEventListener("change", () => this.showZones());
  }

  /** Show a task, or without one a draft of a new one. */
  open(task, draft) {
    this.task = task;
    this.before = draft;
    find("editor-title").textContent = task ? "Task" : "New task";
    find("editor-error").hidden = true;
    this.showStatus(task?.status);
    this.fillTypes(draft.type);
    for (const name of NAMES.filter((name) => name !== "zone")) {
      this.fields[name].value = draft[name];
    }
    this.showZones(draft.zone);
    this.fields.allDay.checked = draft.allDay;
    this.guests.show(draft.guests);
    this.showTimes();
    this.complain([]);
    this.showGoogle(task);
    this.dialog.showModal();
    this.fields.title.focus();
  }

  showStatus(status) {
    find("editor-status").replaceWith(statusBadge(status));
    find("editor-complete").hidden = status !== "open";
    find("editor-cancel").hidden = status !== "open";
    find("editor-reopen").hidden = !["completed", "cancelled"].includes(status);
    find("editor-delete").hidden = !status;
    find("editor-delete").textContent = "Delete";
  }

  showGoogle(task) {
    const { google_event_id: event, google_calendar_id: calendar } = task ?? {};
    const where = calendar ? ` in the calendar ${calendar}` : "";
    find("editor-google").textContent = `Kept in step with the Google event ${event}${where}.`;
    find("editor-google").hidden = !event;
  }

  fillTypes(type) {
    const names = TYPES.includes(type) ? TYPES : [...TYPES, type];
    this.fields.type.replaceChildren(...names.map((name) => new Option(name)));
  }

  /** The zones to choose from; the first is the owner's own. */
  showZones(chosen = this.fields.zone.value) {
    const zone = this.zoneOf(this.fields.owner.value);
    const own = new Option(`The owner's (${readable(zone)})`, "");
    const known = Intl.supportedValuesOf("timeZone");
    const names = known.includes(chosen) || !chosen ? known : [chosen, ...known];
    const options = names.map((name) => new Option(readable(name), name));
    this.fields.zone.replaceChildren(own, ...options);
    this.fields.zone.value = chosen;
  }

  showTimes() {
    const isAllDay = this.fields.allDay.checked;
    for (const field of this.form.querySelectorAll("[data-timed]")) {
      field.hidden = isAllDay;
    }
    this.form.querySelector("[data-all-day]").hidden = !isAllDay;
  }

  read() {
    const draft = Object.fromEntries(NAMES.map((name) => [name, this.fields[name].value]));
    return {
      ...draft,
      title: draft.title.trim(),
      location: draft.location.trim(),
      allDay: this.fields.allDay.checked,
      guests: this.guests.guests,
    };
  }

  save(also = {}) {
    if (!this.guests.add()) {
      return;
    }
    const draft = this.read();
    const wrong = complaintsAbout(draft, this.fields);
    this.complain(wrong);
    if (wrong.length > 0) {
      return;
    }
    const fields = fieldsOf(draft, this.task && this.before, this.zoneOf);
    this.attempt(() => this.on.save(this.task, { ...fields, ...also }));
  }

  /** Ask twice: what is deleted cannot be brought back. */
  remove() {
    const button = find("editor-delete");
    if (button.textContent === "Delete") {
      button.textContent = "Really delete?";
      return;
    }
    this.attempt(() => this.on.remove(this.task));
  }

  /** Do something and close; what was refused stays open with the reason. */
  async attempt(act) {
    this.form.inert = true;
    try {
      this.task = (await act()) ?? this.task;
      this.dialog.close();
    } catch (error) {
      this.form.inert = false;
      this.complain(sentencesOf(error));
    } finally {
      this.form.inert = false;
    }
  }

  /** Show what is wrong, as pairs of a field and a sentence, and go to the first. */
  complain(wrong) {
    for (const field of this.form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
    }
    for (const [name] of wrong.filter(([name]) => this.fields[name])) {
      this.fields[name].setAttribute("aria-invalid", "true");
    }
    find("editor-error").textContent = wrong.map(([, sentence]) => sentence).join(" ");
    find("editor-error").hidden = wrong.length === 0;
    this.fields[wrong[0]?.[0]]?.focus();
  }
}

function complaintsAbout({ title, day, allDay, time }, fields) {
  const wrong = [];
  if (!title) {
    wrong.push(["title", "Give the task a title."]);
  }
  if (!fields.day.validity.valid) {
    wrong.push(["day", "Give a day that there is, or none."]);
  } else if (allDay && !day) {
    wrong.push(["day", "Give the day, or untick All day."]);
  } else if (day && !allDay && !time) {
    wrong.push(["time", "Give the time."]);
  }
  for (const name of allDay ? ["days"] : ["minutes"]) {
    if (!fields[name].validity.valid) {
      wrong.push([name, `Give a whole number of ${name}, or none.`]);
    }
  }
  return wrong;
}

function sentencesOf({ errors = [], message }) {
  const named = errors.map(({ field, detail }) => [
    fieldName(field),
    `${labelOf(field)} ${detail}.`,
  ]);
  return named.length > 0 ? named : [[null, message]];
}

function statusBadge(status) {
  const made = badge(status ?? "");
  made.id = "editor-status";
  made.hidden = !status;
  return made;
}

const fieldName = (field) => FIELDS[field] ?? field.split(/[.[]/)[0];

const labelOf = (field) => {
  const words = field.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
};

const readable = (zone) => zone.replaceAll("_", " ");
