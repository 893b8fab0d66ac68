// The week of one account: what is shown, and what a person does about it.

import { Actions } from "./actions.js";
import { Api, ApiError } from "./api.js";
import { watchPointer } from "./drag.js";
import { emptyDraft } from "./drafts.js";
import { Editor } from "./editor.js";
import { Feed } from "./feed.js";
import { Grid } from "./grid.js";
import { alertPerson, closeAlert, tell } from "./messages.js";
import { canWrite } from "./occurrences.js";
import { DAY, dayText, label, mondayOf, parse, wallIn } from "./time.js";

const POLL_MILLISECONDS = 500;
const CLOCK_MILLISECONDS = 30_000;
const MORNING = 9 * 60;
const HTTP_PRECONDITION_FAILED = 412;

const find = (id) => document.getElementById(id);
const { account, name, week } = document.body.dataset;
const api = new Api(account);
const feed = new Feed(api, name || account);
const actions = new Actions(api, account, feed);
const grid = new Grid();
const hidden = new Set();

const editor = new Editor({
  save: (occurrence, draft, choices) =>
    occurrence
      ? perform(() => actions.change(occurrence, draft, choices), "Saved")
      : perform(() => actions.create(draft, choices), "Created"),
  remove: (occurrence, choices) =>
    perform(() => actions.remove(occurrence, choices), "Deleted"),
  answer: (occurrence, response, choices) =>
    perform(() => actions.answer(occurrence, response, choices), "Answered"),
  closed: () => grid.drawGhost(),
});

const pointer = watchPointer(grid, {
  create: openNew,
  open: openEvent,
  move,
  nudge,
});

const now = () => wallIn(feed.zone, Date.now());

function openEvent(occurrence) {
  editor.open({ occurrence, calendars: feed.calendars, zone: feed.zone });
}

function openNew(times) {
  const calendar = feed.calendars.find(canWrite);
  if (!calendar) {
    alertPerson("There is no calendar here that you may write to.");
    return;
  }
  if (!times.allDay) {
    grid.drawGhost(times.start, times.end);
  }
  const draft = emptyDraft(times, calendar.id);
  editor.open({ draft, calendars: feed.calendars, zone: feed.zone });
}

async function move(occurrence, to) {
  const done = occurrence.event.recurringEventId ? "Moved this event only" : "Moved";
  try {
    await perform(() => actions.move(occurrence, to), done);
    grid.focus(occurrence.key);
  } catch (error) {
    alertPerson(error.message);
  }
}

let nudges = Promise.resolve();

/** Move an event by some minutes, once earlier key presses have been dealt with. */
function nudge(key, way) {
  nudges = nudges.then(async () => {
    const occurrence = grid.shown.get(key);
    const { start, end, allDay } = occurrence ?? {};
    const to = { start: start + way.start, end: end + way.end, allDay };
    if (to.end > to.start) {
      await move(occurrence, to);
    }
  });
}

/** Do something to an event, then show what became of it; rejects when refused. */
async function perform(act, done) {
  try {
    await act();
    closeAlert();
    tell(done);
  } catch (error) {
    if (error.status !== HTTP_PRECONDITION_FAILED) {
      throw error;
    }
    alertPerson(
      "This event was changed elsewhere in the meantime, so your change was not " +
        "saved. You see the newest version now.",
    );
  }
  await reachable(() => feed.load());
  draw();
}

function draw() {
  const { monday, zone } = feed;
  const occurrences = feed.occurrences(({ id }) => !hidden.has(id));
  grid.draw({ monday, zone, occurrences, now: now() });
  const months = [monday, monday + 6 * DAY].map((day) =>
    label(day, { month: "long", year: "numeric" }),
  );
  find("month").textContent = [...new Set(months)].join(" – ");
}

function drawCalendars() {
  const rows = feed.calendars.map(({ id, index, name }) => {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => {
      hidden[box.checked ? "delete" : "add"](id);
      draw();
    });
    const choice = document.createElement("label");
    choice.dataset.color = index % 8;
    choice.append(box, name);
    const row = document.createElement("li");
    row.append(choice);
    return row;
  });
  find("calendars").replaceChildren(...rows);
}

async function showWeek(day) {
  feed.show(mondayOf(day));
  draw();
  await reachable(() => feed.load());
  draw();
}

async function turnTo(day) {
  const query = new URLSearchParams({ account, week: dayText(mondayOf(day)) });
  history.pushState(null, "", `?${query}`);
  await showWeek(day);
}

async function poll() {
  if (!document.hidden && !pointer.isPressed()) {
    const changed = await reachable(() => feed.follow());
    if (changed && !pointer.isPressed()) {
      draw();
    }
  }
  setTimeout(poll, POLL_MILLISECONDS);
}

/** Do what is tried again anyway, saying so when the server refuses or is away. */
async function reachable(act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    tell(`${error.message} Trying again …`);
    return false;
  }
}

function create() {
  const next = Math.ceil((now() + 1) / 60) * 60;
  const isShown = mondayOf(next) === feed.monday;
  const start = isShown ? next : feed.monday + MORNING;
  openNew({ start, end: start + 60, allDay: false });
}

async function goToToday() {
  await turnTo(now());
  grid.scrollIntoPlace(now());
}

function createByKey(event) {
  const isTyping = event.target.closest("input, select, textarea, dialog");
  const isPlain = !(event.ctrlKey || event.metaKey || event.altKey);
  if (event.key === "c" && isPlain && !isTyping) {
    event.preventDefault();
    create();
  }
}

function listen() {
  find("create").addEventListener("click", create);
  find("today").addEventListener("click", goToToday);
  find("earlier").addEventListener("click", () => turnTo(feed.monday - 7 * DAY));
  find("later").addEventListener("click", () => turnTo(feed.monday + 7 * DAY));
  find("account").addEventListener("change", ({ target }) => {
    const query = { account: target.value, week: dayText(feed.monday) };
    location.assign(`?${new URLSearchParams(query)}`);
  });
  window.addEventListener("popstate", () => {
    const shown = new URLSearchParams(location.search).get("week");
    showWeek(shown ? parse(shown) : now());
  });
  document.addEventListener("keydown", createByKey);
}

async function start() {
  await feed.open();
  drawCalendars();
  listen();
  feed.show(mondayOf(week ? parse(week) : now()));
  draw();
  // Following from here on starts with a list of everything, so that nothing is missed.
  await reachable(() => feed.follow());
  draw();
  grid.scrollIntoPlace(now());
  find("week").ariaBusy = "false";
  setInterval(() => grid.drawNow(now()), CLOCK_MILLISECONDS);
  await poll();
}

start().catch((error) => alertPerson(error.message));
