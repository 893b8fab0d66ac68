"""Series, taken in by their occurrences: those are what tasks are made of.

A list shows series and the exceptions to them (fact 15). Of every series that it shows,
Google is asked for the occurrences inside the window, so a series without end costs no
more than that. What a series loses may go on in another one, or as a single event: its
link is given the new ids then, and its task stays.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import LinkState
from shared.domain import errors, mapping, model, recurrence
from workers import holding, intake
from workers.services import Services
from workers.window import Window

log = logging.getLogger(__name__)

Rows = Mapping[str, model.Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """An event as it was stored before the list, by its copy's id."""

    copy_id: int
    document: model.Document
    event: model.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loss:
    """The known occurrences that a series has no longer.

    `before` is the series as it was stored. `is_over`: the series itself is gone, or is
    a single event by now.
    """

    before: model.Event
    now: model.Event
    is_over: bool
    occurrences: Sequence[_Known]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Succession:
    """A meeting that goes on as another event."""

    former: _Known
    heir: model.Event


@dataclass(slots=True, kw_only=True)
class Series:
    """The series in one list: `set_apart` its rows, then `take_in` what they tell."""

    services: Services
    connection: tables.Connection
    calendar: tables.Calendar
    window: Window
    _rows: dict[str, model.Document] = field(default_factory=dict)
    _found: dict[str, model.Document] = field(default_factory=dict)
    """The occurrences that Google told of, by their ids."""
    _expanded: set[str] = field(default_factory=set)

    def set_apart(self, documents: Iterable[model.Document]) -> list[model.Document]:
        """Keep what belongs to a series until the list is complete; return the rest.

        Only then is it known whether what one series loses goes on in another.
        """
        rows = list(documents)
        ids = [row["id"] for row in rows if isinstance(row.get("id"), str)]
        with self.services.store.read() as work:
            known = work.copies.among(self.calendar.id, ids)
        was_series = {event_id for event_id, copy in known.items() if copy.is_series}
        singles = []
        for row in rows:
            if _is_of_series(row) or row.get("id") in was_series:
                self._rows[row["id"]] = row
            else:
                singles.append(row)
        return singles

    def take_in(self, *, is_full: bool) -> list[intake.Seen]:
        """Store what the kept rows tell, and return what is to be looked at.

        After a full list an occurrence that was not found is read before it counts as
        cancelled: it may have moved to where the list does not reach. Raises
        `RecordBusyError` while somebody works on a record that is to get another id.
        """
        if not self._rows:
            return []
        rows = self._readable()
        unreadable = [event_id for event_id in self._rows if event_id not in rows]
        for event in rows.values():
            if recurrence.is_series(event) and not event.is_cancelled:
                self._expand(event)
        with self.services.store.read() as work:
            losses = self._losses(work, rows)
            successions = [
                *self._continued(work, rows, losses),
                *self._begun_to_recur(work, rows),
                *_become_single(losses),
            ]
            names = self._names(work, successions)
        with self._holding(names), self.services.store.begin() as work:
            seen = self._store(work, rows, losses)
            for succession in successions:
                self._hand_over(work, succession)
            gone_on = {each.former.copy_id for each in successions}
            for loss in losses:
                seen += self._end(work, loss, gone_on, is_full=is_full)
            work.commit()
        return [*seen, *(_to_read(event_id) for event_id in unreadable)]

    # -- what Google tells --------------------------------------------------------

    def _readable(self) -> dict[str, model.Event]:
        """Return the rows as events; one that is broken must not hold up the others."""
        events = {}
        for event_id, row in self._rows.items():
            try:
                events[event_id] = self._event(row)
            except errors.MappingError as error:
                log.warning("Set aside: %s", error)
        return events

    def _event(self, document: model.Document) -> model.Event:
        zone = self.calendar.time_zone
        return mapping.event_from_document(document, calendar_zone=zone)

    def _expand(self, series: model.Event) -> None:
        try:
            found = self.services.remotes.google(self.connection).list_instances(
                self.calendar.google_calendar_id,
                series.id,
                time_min=self.window.start,
                time_max=self.window.end,
            )
        except errors.RecordNotFoundError:
            # Deleted since it was listed: the next list shows that.
            return
        self._expanded.add(series.id)
        self._found |= {row["id"]: row for row in found}

    def _occurrences_found(self, series_id: str) -> list[model.Event]:
        """Return the occurrences of a series that take place."""
        found = [
            self._event(row)
            for row in self._found.values()
            if row.get("recurringEventId") == series_id
        ]
        return [e for e in found if e.when is not None and not e.is_cancelled]

    # -- what is to become of it --------------------------------------------------

    def _losses(self, work: UnitOfWork, rows: Rows) -> list[_Loss]:
        before = work.copies.among(self.calendar.id, list(rows))
        losses = []
        for event_id, copy in before.items():
            now = rows[event_id]
            is_over = now.is_cancelled or not recurrence.is_series(now)
            if copy.is_series and (is_over or event_id in self._expanded):
                loss = _Loss(
                    before=self._event(copy.document),
                    now=now,
                    is_over=is_over,
                    occurrences=self._lost(work, event_id, rows, is_over=is_over),
                )
                losses.append(loss)
        return losses

    def _lost(
        self, work: UnitOfWork, series_id: str, rows: Rows, *, is_over: bool
    ) -> list[_Known]:
        moved = {event_id for event_id, row in rows.items() if not row.is_cancelled}
        lost = []
        for copy in work.copies.of_series(self.calendar.id, series_id):
            event = self._event(copy.document)
            is_there = copy.event_id in self._found or copy.event_id in moved
            is_known_to_be_over = event.is_cancelled and copy.settled_etag == copy.etag
            is_inside = event.when is not None and self.window.has(event.when)
            if not is_known_to_be_over and (is_over or (is_inside and not is_there)):
                known = _Known(copy_id=copy.id, document=copy.document, event=event)
                lost.append(known)
        return lost

    def _continued(
        self, work: UnitOfWork, rows: Rows, losses: Sequence[_Loss]
    ) -> Iterator[_Succession]:
        """Find what goes on at other hours, or in a series that follows."""
        known = work.copies.among(self.calendar.id, list(self._expanded))
        new = [rows[i] for i in self._expanded if i not in known]
        for loss in losses:
            heirs = self._new_ones(work, loss.now.id)
            for series in new:
                if recurrence.continues(series, loss.before):
                    heirs += self._occurrences_found(series.id)
            yield from _pairs(loss.occurrences, heirs)

    def _new_ones(self, work: UnitOfWork, series_id: str) -> list[model.Event]:
        """Return the occurrences that a series did not have before."""
        found = self._occurrences_found(series_id)
        known = work.copies.among(self.calendar.id, [event.id for event in found])
        return [
            event
            for event in found
            if event.id not in known or self._is_struck(known[event.id])
        ]

    def _is_struck(self, copy: tables.Copy) -> bool:
        return copy.link_id is None and self._event(copy.document).is_cancelled

    def _begun_to_recur(self, work: UnitOfWork, rows: Rows) -> Iterator[_Succession]:
        """Find single events that are series by now (failure F16)."""
        known = work.copies.among(self.calendar.id, list(self._expanded))
        for event_id, copy in known.items():
            heirs = self._occurrences_found(event_id)
            if copy.is_series or not heirs:
                continue
            before = self._event(copy.document)
            former = _Known(copy_id=copy.id, document=copy.document, event=before)
            start = recurrence.planned_start(rows[event_id])
            yield _Succession(former=former, heir=_nearest(start, heirs))

    # -- storing ------------------------------------------------------------------

    def _names(
        self, work: UnitOfWork, successions: Iterable[_Succession]
    ) -> frozenset[str]:
        links = [
            work.links.of_event(self.calendar.id, each.former.event.id)
            for each in successions
        ]
        names = [holding.of_link(link) for link in links if link is not None]
        return frozenset().union(*names)

    @contextmanager
    def _holding(self, names: frozenset[str]) -> Iterator[None]:
        with holding.held(self.services.store, names) as is_held:
            if not is_held:
                raise errors.RecordBusyError
            yield

    def _store(
        self, work: UnitOfWork, rows: Rows, losses: Iterable[_Loss]
    ) -> list[intake.Seen]:
        """Store all that takes place, and the single cancellations."""
        for event in rows.values():
            if recurrence.is_series(event):
                work.copies.upsert(
                    self.calendar.id,
                    event,
                    self._rows[event.id],
                    changed_at=event.updated_at,
                    settled=True,
                )
        over = {loss.now.id for loss in losses if loss.is_over}
        lost = {known.event.id for loss in losses for known in loss.occurrences}
        others = [
            self._rows[event.id]
            for event in rows.values()
            if not recurrence.is_series(event)
            and event.recurring_event_id not in over
            and event.id not in lost
            and event.id not in self._found
        ]
        return intake.take_in(work, self.calendar, [*self._found.values(), *others])

    def _hand_over(self, work: UnitOfWork, succession: _Succession) -> None:
        """Give the link of a meeting the ids of the event that it is by now.

        Where another user's copy leads, its own list does so; the copy that is joined
        to the link tells until then that the meeting has a task.
        """
        former = work.copies.by_id(succession.former.copy_id)
        heir = work.copies.of(self.calendar.id, succession.heir.id)
        if heir is None:
            return
        link = work.links.of_event(self.calendar.id, former.event_id)
        if link is not None:
            start = succession.heir.original_start or ""
            uid = succession.heir.ical_uid or ""
            if work.links.of_ical(link.organization_id, uid, start) is not None:
                return
            link.event_id, link.ical_uid = succession.heir.id, uid
            link.original_start = start
        heir.link_id = link.id if link is not None else former.link_id
        former.link_id = None
        if not former.is_series and former.event_id != heir.event_id:
            self._strike(work, succession.former)

    def _end(
        self,
        work: UnitOfWork,
        loss: _Loss,
        gone_on: set[int],
        *,
        is_full: bool,
    ) -> list[intake.Seen]:
        """Cancel what was still to come, and let the past be (`semantics.md`, 16)."""
        now = self.services.clock.now()
        ended: list[model.Document] = []
        to_read: list[intake.Seen] = []
        for known in loss.occurrences:
            if known.copy_id in gone_on:
                continue
            link = work.links.of_event(self.calendar.id, known.event.id)
            when, zone = known.event.when, self.calendar.time_zone
            if when is not None and recurrence.has_begun(when, now, zone):
                if link is not None and link.state != LinkState.CONFLICT:
                    link.state = LinkState.DETACHED
            elif link is None:
                self._strike(work, known)
            elif is_full and not loss.is_over:
                to_read.append(_to_read(known.event.id))
            else:
                ended.append(_ended(known.document, self._rows[loss.now.id]))
        return [*intake.take_in(work, self.calendar, ended), *to_read]

    def _strike(self, work: UnitOfWork, known: _Known) -> None:
        """Store that an event is over, which nobody has to look at."""
        document = mapping.deleted(known.document)
        work.copies.upsert(
            self.calendar.id,
            self._event(document),
            document,
            changed_at=known.event.updated_at,
            settled=True,
        )


def _is_of_series(row: model.Document) -> bool:
    return bool(row.get("recurrence") or row.get("recurringEventId"))


def _become_single(losses: Iterable[_Loss]) -> Iterator[_Succession]:
    """Find the occurrence that goes on where a series has become a single event."""
    for loss in losses:
        is_single = loss.is_over and not loss.now.is_cancelled
        if is_single and loss.occurrences:
            by_id = {known.event.id: known for known in loss.occurrences}
            start = recurrence.planned_start(loss.now)
            nearest = _nearest(start, [known.event for known in loss.occurrences])
            yield _Succession(former=by_id[nearest.id], heir=loss.now)


def _pairs(
    lost: Sequence[_Known], heirs: Sequence[model.Event]
) -> Iterator[_Succession]:
    new = {event.id: event for event in heirs}
    pairs = recurrence.followers((known.event for known in lost), heirs)
    for known in lost:
        if known.event.id in pairs:
            yield _Succession(former=known, heir=new[pairs[known.event.id]])


def _nearest(start: datetime, events: Iterable[model.Event]) -> model.Event:
    return min(events, key=lambda event: abs(recurrence.planned_start(event) - start))


def _ended(occurrence: model.Document, series: model.Document) -> model.Document:
    """Return an occurrence as it is since its series was changed so that it is over."""
    told = {"updated": series["updated"]} if "updated" in series else {}
    return {**mapping.deleted(occurrence), **told}


def _to_read(event_id: str) -> intake.Seen:
    return intake.Seen(event_id=event_id, event=None)
