// Small improvements; every page works without them.

// Times are shown where the viewer is: the next page knows.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax`;

// On a phone the menu is closed at first.
const menu = document.querySelector(".menu details");
if (menu && matchMedia("(max-width: 60rem)").matches) menu.open = false;

// A form that cannot be undone asks before it is sent.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.confirm)) event.preventDefault();
  });
}

// What a button needs, such as boxes that are ticked, follows what is chosen.
for (const box of document.querySelectorAll("input[data-selects]")) {
  box.addEventListener("change", () => {
    for (const each of document.querySelectorAll(box.dataset.selects)) each.checked = box.checked;
  });
}

// A running sync shows how far it has come; its page is read anew at the end.
const running = document.querySelector("[data-job]");
if (running) {
  const bar = running.querySelector("progress");
  const line = running.querySelector("[data-progress]");
  const look = async () => {
    const answer = await fetch(`/api/calendar-sync/jobs/${running.dataset.job}`);
    if (!answer.ok) return;
    const { progress } = await answer.json();
    if (!progress) { location.reload(); return; }
    bar.max = progress.total || 1;
    bar.value = progress.done;
    const left = progress.remaining_seconds;
    line.textContent = `${progress.done} of ${progress.total}`
      + (progress.is_listing ? " found so far" : "")
      + (left === null ? "" : `, about ${Math.ceil(left)} s left`);
    setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
}

// What has to be entered elsewhere is copied with a click.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    source.select();
    await navigator.clipboard.writeText(source.value);
    button.firstChild.data = "Copied";
  });
}

// A check that a worker makes shows its outcome, unless something was typed meanwhile.
const checking = document.querySelector("[data-checking]");
if (checking) {
  let isTouched = false;
  document.addEventListener("input", () => { isTouched = true; });
  const ask = async () => {
    const answer = await fetch(checking.dataset.checking);
    if (!answer.ok) return;
    if ((await answer.json()).state === "checking") setTimeout(ask, 1000);
    else if (!isTouched) location.reload();
  };
  setTimeout(ask, 1000);
}
