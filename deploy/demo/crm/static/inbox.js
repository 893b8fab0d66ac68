// The messages that the CRM shows its user.

const find = (id) => document.getElementById(id);

/** Show the messages, the newest first; `dismiss` takes one away. */
export function drawMessages(messages, { zone, dismiss }) {
  const newestFirst = messages.toReversed();
  find("messages").replaceChildren(...newestFirst.map((m) => rowOf(m, zone, dismiss)));
  find("messages-none").hidden = messages.length > 0;
  find("messages-count").textContent = messages.length || "";
}

function rowOf({ number, title, body, link, created_at: at }, zone, dismiss) {
  const row = document.createElement("li");
  row.className = "message";
  const heading = document.createElement("h3");
  heading.textContent = title;
  const close = document.createElement("button");
  close.className = "button button-icon";
  close.textContent = "×";
  close.ariaLabel = `Dismiss: ${title}`;
  close.addEventListener("click", () => dismiss(number));
  row.append(heading, close);
  if (body) {
    const text = document.createElement("p");
    text.textContent = body;
    row.append(text);
  }
  row.append(footOf(link, at, zone));
  return row;
}

function footOf(link, at, zone) {
  const foot = document.createElement("p");
  foot.className = "message-foot";
  if (/^https?:\/\//i.test(link ?? "")) {
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.textContent = "Open";
    foot.append(anchor);
  }
  const time = document.createElement("time");
  time.dateTime = at;
  time.textContent = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    dateStyle: "medium",
    timeStyle: "short",
  }).format(new Date(at));
  foot.append(time);
  return foot;
}
