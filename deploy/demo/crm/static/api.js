// What the page asks of its server.

/** What the server refused; `status` is 0 when there was no answer at all. */
export class Refusal extends Error {
  constructor(status, message, errors = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

/** Ask and return the JSON of the answer, null without one. */
export async function ask(method, path, { query = {}, body, etag } = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  if (etag) {
    headers["If-Match"] = etag;
  }
  let answer;
  try {
    answer = await fetch(`/app/${path}?${new URLSearchParams(query)}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, "The simulated CRM does not answer.");
  }
  const text = await answer.text();
  if (!answer.ok) {
    const { detail, errors } = problemOf(text);
    throw new Refusal(answer.status, detail ?? answer.statusText, errors);
  }
  return text ? JSON.parse(text) : null;
}

export const taskPath = (id) => `tasks/${encodeURIComponent(id)}`;

export const etagOf = ({ version }) => `"${version}"`;

function problemOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
