// The tasks by day.

import { dueOf, headingOf, spanText } from "./due.js";
import { DAY, dayOf, dayText, lengthText } from "./time.js";

const STATUSES = { open: "Open", completed: "Completed", cancelled: "Cancelled" };

const make = (tag, name, ...content) => {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...content.filter((part) => part !== null));
  return element;
};

/** Rows of the days that are shown, in order; those without a day come last. */
export function rowsOf(tasks, { zone, first, last }) {
  return tasks
    .map((task) => ({ task, due: dueOf(task, zone) }))
    .filter(({ due }) => !due || (due.start >= first && due.start < last + DAY))
    .sort(byTime);
}

function byTime(one, other) {
  const rank = ({ due }) => (due ? dayOf(due.start) : Infinity);
  const within = ({ due }) => (due && !due.allDay ? due.start : 0);
  return (
    (rank(one) === rank(other) ? 0 : rank(one) - rank(other)) ||
    within(one) - within(other) ||
    one.task.title.localeCompare(other.task.title)
  );
}

export class List {
  /** `on` has open(task) and toggle(task). */
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.tasks = new Map();
    root.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-open]");
      if (button) {
        on.open(this.tasks.get(button.dataset.open));
      }
    });
    root.addEventListener("change", ({ target }) => {
      on.toggle(this.tasks.get(target.dataset.done));
    });
    root.addEventListener("keydown", (event) => this.moveFocus(event));
  }

  draw(rows, { now, nameOf }) {
    const held = this.heldFocus();
    this.tasks = new Map(rows.map(({ task }) => [task.id, task]));
    const days = Map.groupBy(rows, ({ due }) => (due ? dayOf(due.start) : null));
    const today = dayOf(now);
    const sections = [...days].map(([day, ofDay]) =>
      section(day, today, ofDay.map((row) => rowOf(row, now, nameOf))),
    );
    this.root.replaceChildren(...sections);
    held();
  }

  /** Focus a task, or the list when the task is no longer on it. */
  focus(id) {
    const button = this.root.querySelector(`[data-open="${CSS.escape(id)}"]`);
    (button ?? this.root.parentElement).focus();
  }

  /** Bring today, or the first day after it, to the top. */
  scrollTo(now) {
    const days = [...this.root.querySelectorAll("[data-day]")];
    const next = days.find(({ dataset }) => dataset.day >= dayText(dayOf(now)));
    if (next) {
      const list = this.root.parentElement;
      // What follows may be too little to scroll that far.
      const missing = next.offsetTop + list.clientHeight - list.scrollHeight;
      list.style.paddingBottom = `${Math.max(0, missing)}px`;
      list.scrollTop = next.offsetTop;
    }
  }

  /** A function that gives the focus back to what has it now, once drawn anew. */
  heldFocus() {
    const { open, done } = document.activeElement?.dataset ?? {};
    if (!this.root.contains(document.activeElement)) {
      return () => {};
    }
    const [name, id] = open ? ["open", open] : ["done", done];
    return () => this.root.querySelector(`[data-${name}="${CSS.escape(id)}"]`)?.focus();
  }

  moveFocus(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) {
      return;
    }
    event.preventDefault();
    const buttons = [...this.root.querySelectorAll("[data-open]")];
    const row = event.target.closest("li")?.querySelector("[data-open]");
    buttons[buttons.indexOf(row) + step]?.focus();
  }
}

function section(day, today, rows) {
  const { near, date } = day === null ? { date: "No day" } : headingOf(day, today);
  const heading = make(
    "h2",
    near === "Today" ? "day-name day-today" : "day-name",
    ...(near ? [make("strong", "", near), " "] : []),
    date,
  );
  heading.id = `day-${day}`;
  const made = make("section", "day", heading, make("ul", "day-tasks", ...rows));
  made.setAttribute("aria-labelledby", heading.id);
  if (day !== null) {
    made.dataset.day = dayText(day);
  }
  return made;
}

function rowOf({ task, due }, now, nameOf) {
  const row = make("li", "task", doneBox(task), openButton({ task, due }, now, nameOf));
  row.dataset.status = task.status;
  return row;
}

function doneBox(task) {
  const box = make("input", "task-done");
  box.type = "checkbox";
  box.dataset.done = task.id;
  box.checked = task.status === "completed";
  box.disabled = task.status === "cancelled";
  box.ariaLabel = `Completed: ${task.title}`;
  return box;
}

function openButton({ task, due }, now, nameOf) {
  const isLate = task.status === "open" && due && due.end < now && dayOf(due.end) < dayOf(now);
  const time = make("span", isLate ? "task-time task-late" : "task-time");
  time.textContent = due ? spanText(due) : "";
  if (isLate) {
    time.append(make("span", "hidden", ", overdue"));
  }
  const button = make(
    "button",
    "task-open",
    time,
    " ",
    make("span", "task-text", make("span", "task-title", task.title), " ", detailsOf(task, nameOf)),
    " ",
    task.status === "open" ? null : badge(task.status),
  );
  button.type = "button";
  button.dataset.open = task.id;
  return button;
}

function detailsOf(task, nameOf) {
  const guests = task.attendees?.length ?? 0;
  const details = [
    task.type,
    task.due_at && task.duration_minutes ? lengthText(task.duration_minutes) : null,
    task.location,
    guests ? `${guests} ${guests === 1 ? "attendee" : "attendees"}` : null,
    nameOf(task.owner_id),
  ].filter(Boolean);
  const row = make("span", "task-details");
  for (const detail of details) {
    row.append(make("span", "task-detail", detail), " ");
  }
  if (task.google_event_id) {
    row.append(make("span", "task-detail task-google", "in Google Calendar"));
  }
  return row;
}

export function badge(status) {
  const made = make("span", "badge", STATUSES[status] ?? status);
  made.dataset.status = status;
  return made;
}
