// A preview that is being made shows itself when it is there.
const waiting = document.querySelector("[data-preview]");
if (waiting) {
  const look = async () => {
    const answer = await fetch(`/api/calendar-sync/connections/${waiting.dataset.preview}/preview`);
    if (!answer.ok) return;
    const { state } = await answer.json();
    if (state !== "running") { location.reload(); return; }
    setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
}
