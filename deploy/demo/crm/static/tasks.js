// The tasks of one user: what is shown, and what a person does about it.

import { ask, etagOf, Refusal, taskPath } from "./api.js";
import { draftOf, emptyDraft } from "./drafts.js";
import { Editor } from "./editor.js";
import { Feed } from "./feed.js";
import { drawMessages } from "./inbox.js";
import { List, rowsOf } from "./list.js";
import { alertPerson, closeAlert, tell } from "./messages.js";
import { usable, wallIn } from "./time.js";

const POLL_MILLISECONDS = 300;
const MORE_DAYS = 30;
const HTTP_PRECONDITION_FAILED = 412;
const HTTP_GONE = 410;
const DONE = { open: "Reopened", completed: "Completed", cancelled: "Cancelled" };

const find = (id) => document.getElementById(id);
const { user } = document.body.dataset;
const users = [...find("user").options].map(({ value, text, dataset }) => ({
  id: value,
  name: text,
  zone: dataset.zone,
}));
const zoneOf = (id) => usable(users.find((other) => other.id === id)?.zone ?? "UTC");
const zone = zoneOf(user);
const feed = new Feed(user);

const now = () => wallIn(zone, Date.now());

const list = new List(find("days"), {
  open: (task) => editor.open(task, draftOf(task, zoneOf)),
  toggle: (task) => {
    const status = task.status === "completed" ? "open" : "completed";
    perform(() => change(task, { status }), DONE[status]).catch((error) => {
      draw();
      alertPerson(error.message);
    });
  },
});

const editor = new Editor(users, zoneOf, {
  save: (task, fields) =>
    task
      ? perform(() => change(task, fields), DONE[fields.status] ?? "Saved")
      : perform(() => ask("POST", "tasks", { body: fields }), "Created"),
  remove: (task) => perform(() => ask("DELETE", taskPath(task.id)), "Deleted"),
  closed: (task) => task && list.focus(task.id),
});

/** Write fields of a task, if it still is the one on the page. */
async function change(task, fields) {
  if (Object.keys(fields).length > 0) {
    await ask("PATCH", taskPath(task.id), { body: fields, etag: etagOf(task) });
  }
}

/** Do something, then show what became of it and return that; rejects when refused. */
async function perform(act, done) {
  let made;
  try {
    made = await act();
    closeAlert();
    tell(done);
  } catch (error) {
    const reason = {
      [HTTP_PRECONDITION_FAILED]: "was changed elsewhere",
      [HTTP_GONE]: "was deleted elsewhere",
    }[error.status];
    if (!reason) {
      throw error;
    }
    alertPerson(`This task ${reason} in the meantime, so your change was not saved.`);
  }
  await refresh();
  return made;
}

async function dismiss(number) {
  await reachable(() => ask("DELETE", `messages/${number}`));
  await refresh();
}

function draw() {
  const rows = rowsOf(feed.tasks, { zone, first: feed.first, last: feed.last });
  const wanted = new Set(
    [...document.querySelectorAll('[name="status"]:checked')].map(({ value }) => value),
  );
  const shown = rows.filter(({ task }) => wanted.has(task.status));
  const nameOf = (id) =>
    feed.whose === "all" ? users.find((other) => other.id === id)?.name : null;
  list.draw(shown, { now: now(), nameOf });
  for (const count of document.querySelectorAll("[data-count]")) {
    const { length } = rows.filter(({ task }) => task.status === count.dataset.count);
    count.textContent = length;
  }
  find("empty").hidden = shown.length > 0;
  find("empty").textContent = rows.length
    ? "No task has one of the chosen statuses."
    : "There is no task on these days.";
  drawMessages(feed.messages, { zone, dismiss });
}

async function refresh() {
  feed.forget();
  await reachable(() => feed.follow());
  draw();
}

async function poll() {
  if (!document.hidden && (await reachable(() => feed.follow()))) {
    draw();
  }
  setTimeout(poll, POLL_MILLISECONDS);
}

/** Do what is tried again anyway, saying so when the server refuses or is away. */
async function reachable(act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    tell(`${error.message} Trying again …`);
    return false;
  }
}

function create() {
  const nextHour = Math.ceil((now() + 1) / 60) * 60;
  editor.open(null, emptyDraft(user, nextHour));
}

function createByKey(event) {
  const isTyping = event.target.closest(
    "input:not([type=checkbox], [type=radio]), select, textarea, dialog",
  );
  const isPlain = !(event.ctrlKey || event.metaKey || event.altKey);
  if (event.key === "n" && isPlain && !isTyping) {
    event.preventDefault();
    create();
  }
}

function listen() {
  find("create").addEventListener("click", create);
  find("user").addEventListener("change", ({ target }) => {
    location.assign(`?${new URLSearchParams({ user: target.value })}`);
  });
  find("statuses").addEventListener("change", draw);
  find("whose").addEventListener("change", ({ target }) => {
    feed.show(target.value);
    refresh();
  });
  find("earlier").addEventListener("click", () => showMore({ back: MORE_DAYS }));
  find("later").addEventListener("click", () => showMore({ ahead: MORE_DAYS }));
  document.addEventListener("keydown", createByKey);
}

/** Show more days, with what is on the screen staying where it is. */
async function showMore(days) {
  const below = find("list").scrollHeight - find("list").scrollTop;
  feed.showMore(days);
  await refresh();
  if (days.back) {
    find("list").scrollTop = find("list").scrollHeight - below;
  }
}

async function start() {
  listen();
  feed.around(now());
  await refresh();
  list.scrollTo(now());
  find("list").ariaBusy = "false";
  setTimeout(poll, POLL_MILLISECONDS);
}

start().catch((error) => alertPerson(error.message));
