// The Calendar API, as one account. The header says that it is this page that asks:
// requests of clients are logged, counted and disturbed on demand, its own are not.

const ROOT = "/calendar/v3";

/** What the API refused; `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Api {
  constructor(account) {
    this.headers = {
      Authorization: `Bearer demo-${account}`,
      "X-Simulator-Page": "calendar",
    };
  }

  async call(method, path, { query = {}, body, etag } = {}) {
    const headers = { ...this.headers };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    if (etag) {
      headers["If-Match"] = etag;
    }
    const parameters = new URLSearchParams(query);
    let answer;
    try {
      answer = await fetch(`${ROOT}${path}?${parameters}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch {
      throw new ApiError(0, "The simulated Google does not answer.");
    }
    const text = await answer.text();
    if (!answer.ok) {
      throw new ApiError(answer.status, messageOf(text) ?? answer.statusText);
    }
    return text ? JSON.parse(text) : null;
  }

  /** Walk a list to its last page; a page may be empty and not be the last. */
  async all(path, query = {}) {
    const rows = [];
    for await (const page of this.pages(path, query)) {
      rows.push(...(page.items ?? []));
    }
    return rows;
  }

  async *pages(path, query = {}) {
    let page = await this.call("GET", path, { query });
    yield page;
    while (page.nextPageToken) {
      const next = { ...query, pageToken: page.nextPageToken };
      page = await this.call("GET", path, { query: next });
      yield page;
    }
  }

  /** Walk the changes since a token, or everything without one. */
  async changes(calendarId, token) {
    const start = token ? { syncToken: token } : { maxResults: "2500" };
    const query = { ...start, fields: "nextPageToken,nextSyncToken,items/id" };
    const found = { count: 0, token: null };
    for await (const page of this.pages(eventsPath(calendarId), query)) {
      found.count += page.items?.length ?? 0;
      found.token = page.nextSyncToken;
    }
    return found;
  }
}

export const eventsPath = (calendarId) =>
  `/calendars/${encodeURIComponent(calendarId)}/events`;

export const eventPath = (calendarId, eventId) =>
  `${eventsPath(calendarId)}/${encodeURIComponent(eventId)}`;

function messageOf(text) {
  try {
    return JSON.parse(text).error.message;
  } catch {
    return undefined;
  }
}
