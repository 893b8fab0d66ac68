"""`events.list` and `events.instances`: which events, in which order, on which page.

As at Google, a page is cut before most filters apply, so it may be short or empty and
still carry `nextPageToken` (facts 3 and 4).
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.demo.google import (
    errors,
    matching,
    model,
    queries,
    rendering,
    series,
    state,
    times,
    tokens,
)

_CANCELLED_AHEAD = timedelta(days=183)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A candidate with its place in the order of the answer."""

    key: list[str | int]
    copy: model.EventCopy


@dataclass(frozen=True, slots=True, kw_only=True)
class Lister:
    """One account's look at one calendar; `empty_pages` puts one before each page."""

    tx: state.Transaction
    calendar: model.Calendar
    role: model.Role
    empty_pages: bool = False

    def list_events(self, query: queries.Query) -> model.Json:
        """Answer `events.list`."""
        rows = self._rows(query)
        answer, number = self._page(query, sorted(rows, key=lambda row: row.key))
        if "nextPageToken" not in answer and query.gives_sync_token:
            answer["nextSyncToken"] = self._sync_token(query, number)
        return answer

    def instances(self, query: queries.Query, event_id: str) -> model.Json:
        """Answer `events.instances`."""
        found = series.find(self.tx, self.calendar, event_id)
        if found is None:
            raise errors.not_found()
        query = dataclasses.replace(query, single_events=True)
        rows = self._instances(query, found)
        return self._page(query, sorted(rows, key=lambda row: row.key))[0]

    def _rows(self, query: queries.Query) -> Iterator[Row]:
        for copy in self._changed(query):
            if query.updated_min and model.instant(copy.updated) < query.updated_min:
                continue
            if query.text("iCalUID") not in ("", copy.body["iCalUID"]):
                continue
            if query.single_events and copy.is_series:
                yield from self._occurrences(query, copy)
            elif self._is_in_window(query, copy):
                yield Row(key=self._key(query, copy), copy=copy)

    def _changed(self, query: queries.Query) -> Iterable[model.EventCopy]:
        rows = self.tx.state.rows(self.calendar.id)
        if not query.is_incremental:
            return rows
        token = tokens.open_sync(
            query.text("syncToken"),
            epoch=self._epoch(),
            filters=query.filters,
            now=self.tx.now,
        )
        return rows.changed_after(token.number)

    def _occurrences(
        self, query: queries.Query, master: model.EventCopy
    ) -> Iterator[Row]:
        before = query.time_max
        if master.is_cancelled and before is None:
            # Of a deleted series only about half a year is listed (fact 18).
            before = model.instant(self.tx.now) + _CANCELLED_AHEAD
        for copy in series.expand(
            self.tx, self.calendar, master, (query.time_min, before)
        ):
            if self._is_in_window(query, copy):
                yield Row(key=self._key(query, copy), copy=copy)

    def _instances(self, query: queries.Query, found: model.EventCopy) -> Iterator[Row]:
        if not found.is_series:
            # The id of an occurrence names just that one (fact 43).
            copies = [found] if found.series_id else []
        else:
            window = (query.time_min, query.time_max)
            copies = [
                *series.expand(self.tx, self.calendar, found, window),
                *self.tx.exceptions(self.calendar.id, found.id),
            ]
        wanted = query.text("originalStart")
        for copy in copies:
            if copy.removal == model.Removal.SUPERSEDED:
                continue
            original = copy.body["originalStartTime"]
            if wanted and not self._is_original(wanted, original):
                continue
            start, end = self._span(copy)
            # Unlike in list, timeMin is inclusive here (fact 42).
            if query.time_min and end < query.time_min:
                continue
            if query.time_max and start >= query.time_max:
                continue
            yield Row(key=[start.isoformat(), copy.id], copy=copy)

    def _is_original(self, wanted: str, original: model.Json) -> bool:
        if times.is_all_day(original):
            return bool(wanted == original["date"])
        at = times.to_instant(original, self.calendar.time_zone)
        return times.parse_instant(wanted, "originalStart") == at

    def _key(self, query: queries.Query, copy: model.EventCopy) -> list[str | int]:
        if query.text("orderBy") == "startTime":
            return [self._span(copy)[0].isoformat(), copy.id]
        if query.text("orderBy") == "updated":
            return [copy.updated, copy.id]
        return [copy.changed, copy.id]

    def _span(self, copy: model.EventCopy) -> tuple[datetime, datetime]:
        zone = self.calendar.time_zone
        start = times.to_instant(copy.body["start"], zone)
        return start, times.to_instant(copy.body["end"], zone)

    def _is_in_window(self, query: queries.Query, copy: model.EventCopy) -> bool:
        if query.time_min is None and query.time_max is None:
            return True
        if copy.is_series and not copy.is_cancelled:
            window = (query.time_min, query.time_max)
            found = series.expand(self.tx, self.calendar, copy, window)
            return any(self._is_in_window(query, one) for one in found)
        start, end = self._span(copy)
        if query.time_min and end <= query.time_min:
            return False
        return not (query.time_max and start >= query.time_max)

    def _page(self, query: queries.Query, rows: list[Row]) -> tuple[model.Json, int]:
        answer = self._envelope(query)
        number, after_empty = self.tx.state.sequence, False
        if text := query.text("pageToken"):
            page = tokens.open_page(text, query=query.digest)
            number, after_empty = page.number, page.after_empty
            rows = [row for row in rows if row.key > page.key]
            last_key = page.key
        else:
            last_key = []
        is_empty = self.empty_pages and not after_empty
        shown = [] if is_empty else rows[: query.most_rows]
        view = self._view(query)
        answer["items"] = [
            rendering.render(row.copy, view)
            for row in shown
            if self._is_shown(query, row.copy)
        ]
        if is_empty or len(shown) < len(rows):
            answer["nextPageToken"] = tokens.seal(
                tokens.PageToken(
                    query=query.digest,
                    number=number,
                    key=shown[-1].key if shown else last_key,
                    after_empty=is_empty,
                )
            )
        return answer, number

    def _is_shown(self, query: queries.Query, copy: model.EventCopy) -> bool:
        if copy.is_cancelled and not query.includes_deleted:
            if query.single_events or copy.removal != model.Removal.NOT:
                return False
            # The one exception: a cancelled occurrence of a live series (fact 12).
            master = self.tx.get(self.calendar.id, copy.series_id)
            if master is None or master.is_cancelled:
                return False
        return matching.matches(query, copy)

    def _view(self, query: queries.Query) -> rendering.View:
        return rendering.View(
            calendar=self.calendar,
            role=self.role,
            zone=queries.zone(query.values, self.calendar),
            most_attendees=query.most_attendees(),
            shows_deleted_details=query.show_deleted,
        )

    def _envelope(self, query: queries.Query) -> model.Json:
        rows = self.tx.state.rows(self.calendar.id)
        mark = model.base32hex(rows.stamp.to_bytes(8))
        return {
            "kind": "calendar#events",
            "etag": f'"p3{mark}o0o"',
            "summary": self.calendar.summary,
            "description": self.calendar.description,
            "updated": model.timestamp(rows.updated or self.calendar.created),
            "timeZone": queries.zone(query.values, self.calendar),
            "accessRole": self.role.value,
            "defaultReminders": [{"method": "popup", "minutes": 10}]
            if self.role.sees_private
            else [],
        }

    def _epoch(self) -> str:
        return f"{self.calendar.id}/{self.calendar.token_epoch}"

    def _sync_token(self, query: queries.Query, number: int) -> str:
        return tokens.seal(
            tokens.SyncToken(
                epoch=self._epoch(),
                filters=query.filters,
                number=number,
                issued_at=self.tx.now,
            )
        )
