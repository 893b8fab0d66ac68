// Small improvements; every page works without them.

// Times are shown where the viewer is: the next page knows.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax`;

// On a phone the menu is closed at first.
const menu = document.querySelector(".menu details");
if (menu && matchMedia("(max-width: 60rem)").matches) menu.open = false;

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
