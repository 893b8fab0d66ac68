// Creating, moving and resizing with the pointer, and moving with the keyboard.
// A finger scrolls instead; a tap creates or opens.

import { isBar } from "./occurrences.js";
import { DAY } from "./time.js";

const STEP = 15;
const CLICK_STEP = 30;
const SLACK = 4;
const EDGE = 24;

const snap = (minutes) => Math.round(minutes / STEP) * STEP;

/** Watch the grid; `on` has create, move, nudge and open, called with wall times. */
export function watchPointer(grid, on) {
  let drag = null;
  // A click follows the release of every drag, and belongs to it.
  let wasDragged = false;

  const pointAt = ({ clientX, clientY }) => {
    const area = grid.columns.getBoundingClientRect();
    const column = Math.floor((7 * (clientX - area.left)) / area.width);
    const minutes = (DAY * (clientY - area.top)) / area.height;
    const day = Math.min(6, Math.max(0, column));
    return grid.monday + day * DAY + Math.min(DAY, Math.max(0, minutes));
  };

  const begin = (event) => {
    if (event.button !== 0 || event.pointerType === "touch") {
      return;
    }
    const occurrence = grid.occurrence(event.target);
    const inColumns = grid.columns.contains(event.target);
    if (occurrence ? !occurrence.isEditable : !inColumns) {
      return;
    }
    drag = { occurrence, origin: event, from: pointAt(event), moved: false };
    drag.kind = kindOf(occurrence, event.target);
  };

  const follow = (event) => {
    if (!drag) {
      return;
    }
    const { clientX, clientY } = drag.origin;
    const way = Math.hypot(event.clientX - clientX, event.clientY - clientY);
    if (!drag.moved && way < SLACK) {
      return;
    }
    drag.moved = true;
    event.preventDefault();
    document.body.classList.add("dragging");
    scrollAtEdge(grid.week, event.clientY);
    drag.to = target(drag, pointAt(event));
    if (drag.kind === "days") {
      grid.drawBarGhost(drag.to.start, drag.to.end);
    } else {
      grid.drawGhost(drag.to.start, drag.to.end);
    }
  };

  const stop = () => {
    document.body.classList.remove("dragging");
    const ended = drag;
    drag = null;
    wasDragged ||= Boolean(ended?.moved);
    return ended;
  };

  const drop = () => {
    const ended = stop();
    setTimeout(() => {
      wasDragged = false;
    });
    if (!ended?.moved) {
      return;
    }
    const { occurrence, to } = ended;
    if (ended.kind === "create") {
      on.create(to);
      return;
    }
    grid.drawGhost();
    if (to.start !== occurrence.start || to.end !== occurrence.end) {
      on.move(occurrence, to);
    }
  };

  const cancel = () => {
    if (stop()) {
      grid.drawGhost();
    }
  };

  const click = (event) => {
    if (wasDragged) {
      return;
    }
    const occurrence = grid.occurrence(event.target);
    if (occurrence) {
      on.open(occurrence);
    } else if (grid.columns.contains(event.target)) {
      const start = Math.floor(pointAt(event) / CLICK_STEP) * CLICK_STEP;
      on.create({ start, end: start + 60, allDay: false });
    } else if (grid.bars.contains(event.target)) {
      const area = grid.bars.getBoundingClientRect();
      const day = Math.floor((7 * (event.clientX - area.left)) / area.width);
      const start = grid.monday + day * DAY;
      on.create({ start, end: start + DAY, allDay: true });
    }
  };

  grid.week.addEventListener("pointerdown", begin);
  grid.week.addEventListener("click", click);
  grid.week.addEventListener("keydown", (event) => nudge(grid, on, event));
  window.addEventListener("pointermove", follow);
  window.addEventListener("pointerup", drop);
  window.addEventListener("pointercancel", cancel);
  window.addEventListener("keydown", ({ key }) => key === "Escape" && cancel());
  return { isPressed: () => drag !== null };
}

function kindOf(occurrence, element) {
  if (!occurrence) {
    return "create";
  }
  if (isBar(occurrence)) {
    return "days";
  }
  return element.classList.contains("event-edge") ? "resize" : "move";
}

function target({ kind, occurrence, from }, at) {
  if (kind === "create") {
    const [start, end] = [snap(Math.min(from, at)), snap(Math.max(from, at))];
    return { start, end: Math.max(end, start + STEP), allDay: false };
  }
  const { start, end, allDay } = occurrence;
  if (kind === "resize") {
    return { start, end: Math.max(start + STEP, end + snap(at - from)), allDay };
  }
  const days = Math.floor(at / DAY) - Math.floor(from / DAY);
  const shift = kind === "days" ? days * DAY : snap(at - from);
  return { start: start + shift, end: end + shift, allDay };
}

const KEYS = {
  ArrowUp: -STEP,
  ArrowDown: STEP,
  ArrowLeft: -DAY,
  ArrowRight: DAY,
};

/** Alt and an arrow move the focused event; with Shift they move its end. */
function nudge(grid, on, event) {
  const occurrence = grid.occurrence(event.target);
  const step = KEYS[event.key];
  if (!event.altKey || !step || !occurrence?.isEditable) {
    return;
  }
  event.preventDefault();
  if (occurrence.allDay && Math.abs(step) < DAY) {
    return;
  }
  const way = event.shiftKey ? { start: 0, end: step } : { start: step, end: step };
  on.nudge(occurrence.key, way);
}

function scrollAtEdge(scroller, y) {
  const { top, bottom } = scroller.getBoundingClientRect();
  const head = scroller.querySelector(".week-head").offsetHeight;
  if (y < top + head + EDGE) {
    scroller.scrollTop -= EDGE / 2;
  } else if (y > bottom - EDGE) {
    scroller.scrollTop += EDGE / 2;
  }
}
