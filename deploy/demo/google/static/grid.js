// Draws a week: headings, all-day bars, events side by side, the line of the present.

import { inLanes, segments, sideBySide } from "./layout.js";
import { isBar } from "./occurrences.js";
import { DAY, dayOf, dayText, label, mondayOf, span, timeText, zoneLabel } from "./time.js";

const COLORS = 8;
const NEAR_TOP_OF_DAY = 7 * 60;
const ANSWERS = {
  needsAction: "not answered",
  tentative: "maybe",
  declined: "declined",
};

export class Grid {
  constructor() {
    for (const name of ["week", "headings", "bars", "hours", "columns", "zone"]) {
      this[name] = document.getElementById(name);
    }
    this.shown = new Map();
    this.monday = 0;
    this.days = [];
    this.drawHours();
  }

  occurrence(element) {
    return this.shown.get(element?.closest("[data-key]")?.dataset.key);
  }

  draw({ monday, now, zone, occurrences }) {
    const focused = document.activeElement?.dataset?.key;
    this.monday = monday;
    this.shown = new Map(occurrences.map((occurrence) => [occurrence.key, occurrence]));
    this.drawZone(zone);
    this.drawHeadings(now);
    this.drawBars(occurrences.filter(isBar));
    this.drawColumns(occurrences.filter((occurrence) => !isBar(occurrence)));
    this.drawNow(now);
    if (focused) {
      this.focus(focused);
    }
  }

  focus(key) {
    this.week.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  /** Bring the first morning hour, and on a narrow screen today, into view. */
  scrollIntoPlace(now) {
    const head = this.week.querySelector(".week-head").offsetHeight;
    const [first] = this.days;
    const hour = this.columns.offsetHeight / 24;
    this.week.scrollTop = (NEAR_TOP_OF_DAY / 60) * hour - head / 8;
    const today = this.days[(dayOf(now) - this.monday) / DAY] ?? first;
    this.week.scrollLeft = today.offsetLeft - first.offsetLeft;
  }

  drawZone(zone) {
    const { place, shift } = zoneLabel(zone, this.monday);
    this.zone.replaceChildren(
      element("span", { className: "week-place", textContent: place }),
      element("span", { textContent: shift }),
    );
    this.zone.title = `Times are in ${zone}`;
  }

  drawHours() {
    for (let hour = 1; hour < 24; hour += 1) {
      const mark = element("span", { textContent: timeText(hour * 60) });
      mark.style.top = percent(hour * 60);
      this.hours.append(mark);
    }
  }

  drawHeadings(now) {
    this.headings.replaceChildren();
    for (let index = 0; index < 7; index += 1) {
      const day = this.monday + index * DAY;
      const heading = element("div", { className: "week-day" });
      heading.classList.toggle("week-day-today", day === dayOf(now));
      heading.append(
        element("span", { textContent: label(day, { weekday: "short" }) }),
        element("strong", { textContent: label(day, { day: "numeric" }) }),
      );
      this.headings.append(heading);
    }
  }

  drawBars(occurrences) {
    const bars = inLanes(occurrences.map((o) => ({ ...o, occurrence: o })), this.monday);
    this.bars.replaceChildren(
      ...bars.map((bar) => {
        const button = eventButton(bar.occurrence, "bar");
        button.style.gridColumn = `${bar.first + 1} / ${bar.last + 2}`;
        button.style.gridRow = bar.lane + 1;
        return button;
      }),
    );
  }

  drawColumns(occurrences) {
    this.days = Array.from({ length: 7 }, (_, index) => {
      const day = element("section", { className: "column" });
      const name = { weekday: "long", day: "numeric", month: "long" };
      day.dataset.day = dayText(this.monday + index * DAY);
      day.ariaLabel = label(this.monday + index * DAY, name);
      return day;
    });
    const pieces = occurrences.flatMap((occurrence) =>
      segments(occurrence.start, occurrence.end, this.monday).map((piece) => ({
        ...piece,
        occurrence,
      })),
    );
    for (const [index, day] of this.days.entries()) {
      const own = sideBySide(pieces.filter((piece) => piece.day === index));
      day.append(...own.map(placed));
    }
    this.columns.replaceChildren(...this.days);
  }

  drawNow(now) {
    this.columns.querySelector(".now")?.remove();
    const day = this.days[(dayOf(now) - this.monday) / DAY];
    if (day && mondayOf(now) === this.monday) {
      const line = element("div", { className: "now" });
      line.style.top = percent(now - dayOf(now));
      day.append(line);
    }
  }

  /** Show where an event would go; without times show nothing. */
  drawGhost(start, end) {
    this.week.querySelectorAll(".ghost").forEach((ghost) => ghost.remove());
    if (start === undefined) {
      return;
    }
    for (const piece of segments(start, end, this.monday)) {
      const text = `${timeText(start)} – ${timeText(end)}`;
      const ghost = element("div", { className: "ghost", textContent: text });
      ghost.style.top = percent(piece.from);
      ghost.style.height = percent(piece.to - piece.from);
      this.days[piece.day].append(ghost);
    }
  }

  drawBarGhost(start, end) {
    this.week.querySelectorAll(".ghost").forEach((ghost) => ghost.remove());
    const [bar] = inLanes([{ start, end }], this.monday);
    if (bar.last < bar.first) {
      return;
    }
    const ghost = element("div", { className: "ghost ghost-bar" });
    ghost.style.gridColumn = `${bar.first + 1} / ${bar.last + 2}`;
    this.bars.append(ghost);
  }
}

function placed(piece) {
  const { occurrence, from, to, column, columns, width, bottom } = piece;
  const button = eventButton(occurrence, "event");
  button.classList.toggle("event-short", bottom - from <= 40);
  button.style.top = percent(from);
  button.style.height = percent(bottom - from);
  button.style.left = `${(100 * column) / columns}%`;
  button.style.width = `${(100 * width) / columns}%`;
  if (occurrence.isEditable && piece.isLast && to < DAY) {
    button.append(element("span", { className: "event-edge" }));
  }
  return button;
}

function eventButton(occurrence, className) {
  const { allDay, calendar, end, event, response, start, title } = occurrence;
  const button = element("button", { className, type: "button" });
  button.dataset.key = occurrence.key;
  button.dataset.color = calendar.index % COLORS;
  button.dataset.response = response;
  button.classList.toggle("event-tentative", event.status === "tentative");
  const face = element("span", { className: "event-face" });
  face.append(element("span", { className: "event-title", textContent: title }));
  if (!allDay) {
    const time = element("span", { className: "event-time", textContent: timeText(start) });
    if (!isBar(occurrence)) {
      const text = ` – ${timeText(end)}`;
      time.append(element("span", { className: "event-end", textContent: text }));
    }
    face.append(time);
  }
  if (event.location) {
    const text = event.location;
    face.append(element("span", { className: "event-place", textContent: text }));
  }
  button.append(face);
  button.ariaLabel = spoken(occurrence);
  button.title = [title, span(occurrence), event.location].filter(Boolean).join("\n");
  return button;
}

function spoken(occurrence) {
  const { calendar, event, response, title } = occurrence;
  const parts = [title, span(occurrence), event.location, ANSWERS[response]];
  const calendarName = calendar.primary ? "" : `calendar ${calendar.summary}`;
  return [...parts, calendarName].filter(Boolean).join(", ");
}

const percent = (minutes) => `${(100 * minutes) / DAY}%`;

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
