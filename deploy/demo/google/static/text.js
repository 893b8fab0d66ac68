// Descriptions: the field shows text, Google's web page stores HTML.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

export function toHtml(text) {
  return text
    .replace(/[&<>]/g, (character) => ENTITIES[character])
    .replace(/ {2}/g, "&nbsp; ")
    .replace(/\r?\n/g, "<br>");
}

export function toText(stored) {
  if (!/<[a-z/!]|&[a-z#]/i.test(stored)) {
    return stored;
  }
  // Parsed in a document of its own, where nothing is loaded or run.
  const page = new DOMParser().parseFromString(
    stored.replace(/\r?\n/g, "<br>"),
    "text/html",
  );
  for (const line of page.querySelectorAll("br")) {
    line.replaceWith("\n");
  }
  for (const point of page.querySelectorAll("li")) {
    point.prepend("- ");
  }
  for (const block of page.querySelectorAll("p, div, li")) {
    block.append("\n");
  }
  return page.body.textContent.replaceAll("\u00a0", " ").replace(/\n+$/, "");
}
