"""Read and write the event of a pair, with compare-and-swap on its etag.

A write that finds the event moved on takes in its present state and raises the
`StaleStateError` again, so that the caller decides anew.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from shared.domain import errors, mapping, model, ports
from shared.domain.reconcile import Write
from workers.pair import Pair
from workers.remotes import Remotes

SILENT = "none"
"""Google's `sendUpdates` for whatever a user did not do just now."""

_UNCERTAINTY = timedelta(minutes=1)
"""How wrong what we know of Google's clock may be."""

_FAR_AWAY = timedelta(days=36500)


class GoogleSide:
    """The event's half of a pair."""

    def __init__(self, remotes: Remotes, clock: ports.Clock) -> None:
        """Take the accounts to write to."""
        self._remotes = remotes
        self._clock = clock

    def read(self, pair: Pair, event_id: str | None = None) -> None:
        """Read the event into the pair, another one than its own if told.

        Raises `CalendarMissingError` if it is not there because its calendar is not.
        """
        google = self._remotes.google(pair.connection)
        calendar_id = pair.calendar.google_calendar_id
        try:
            document = google.get_event(calendar_id, event_id or pair.event_id)
        except errors.RecordNotFoundError:
            self._saw_no_event(pair)
        else:
            pair.saw_event(document)

    def write(
        self, pair: Pair, write: Write, target: model.Meeting, *, send_updates: str
    ) -> None:
        """Bring the event to `target`; raises `StaleStateError` if it had moved on."""
        match write:
            case Write.NOTHING:
                return
            case Write.CREATE:
                self._create(pair, target, send_updates)
            case Write.CANCEL:
                self.cancel(pair, send_updates=send_updates)
            case Write.UPDATE | Write.REVIVE:
                with self._taking_in_what_is_new(pair):
                    self._patch(pair, target, send_updates)

    def cancel(self, pair: Pair, *, send_updates: str) -> None:
        """Cancel the event; one that is gone already is no error.

        Raises `StaleStateError` if it had moved on.
        """
        with self._taking_in_what_is_new(pair):
            self._cancel(pair, send_updates)

    @contextlib.contextmanager
    def _taking_in_what_is_new(self, pair: Pair) -> Iterator[None]:
        try:
            yield
        except errors.VersionMismatchError:
            self.read(pair)
            raise
        except errors.RecordNotFoundError:
            self._saw_no_event(pair)
            raise

    def _saw_no_event(self, pair: Pair) -> None:
        """Take in that the event is gone, unless its whole calendar is.

        A list of what is still far away costs little, and tells the two apart.
        """
        google = self._remotes.google(pair.connection)
        try:
            google.list_events(
                pair.calendar.google_calendar_id,
                time_min=self._clock.now() + _FAR_AWAY,
            )
        except errors.RecordNotFoundError as error:
            raise errors.CalendarMissingError from error
        pair.saw_no_event()

    def _cancel(self, pair: Pair, send_updates: str) -> None:
        google = self._remotes.google(pair.connection)
        event = pair.event.event
        if event is None or event.is_cancelled:
            return
        with contextlib.suppress(errors.RecordDeletedError):
            google.delete_event(
                pair.calendar.google_calendar_id,
                event.id,
                etag=event.etag or None,
                send_updates=send_updates,
            )
        # The answer is empty: the etag of what is left comes with the next pull.
        pair.saw_event_end()

    def _create(self, pair: Pair, target: model.Meeting, send_updates: str) -> None:
        body = mapping.event_body(
            _without_held_guests(target, pair),
            event_id=model.EventId(pair.event_id),
            tag=pair.own_tag,
            attendees=pair.known_task.attendees,
            directory=pair.directory,
        )
        google = self._remotes.google(pair.connection)
        try:
            created = google.insert_event(
                pair.calendar.google_calendar_id, body, send_updates=send_updates
            )
        except errors.DuplicateRecordError:
            # Made by an attempt that never heard the answer, or in an earlier life.
            self.read(pair)
            if _is_of_earlier_life(pair):
                _disregard(pair, target)
            raise
        except errors.RecordNotFoundError as error:
            raise errors.CalendarMissingError from error
        pair.saw_event(created)

    def _patch(self, pair: Pair, target: model.Meeting, send_updates: str) -> None:
        if not pair.known_event.etag or pair.event_meeting() is None:
            # Known by its tombstone only, which has neither an etag nor fields.
            self.read(pair)
        event, present = pair.known_event, pair.event_meeting()
        fields = mapping.changed_fields(present, target) if present else _ALL_FIELDS
        if not fields:
            return  # All that it lacks are guests that are held back.
        body = mapping.event_patch(
            event,
            _without_held_guests(target, pair),
            fields,
            tag=pair.tag,
            directory=pair.directory,
            owner_id=pair.owner_id,
        )
        changed = self._remotes.google(pair.connection).patch_event(
            pair.calendar.google_calendar_id,
            event.id,
            body,
            etag=event.etag or None,
            send_updates=send_updates,
        )
        pair.wrote_event(changed)


_ALL_FIELDS = frozenset(model.Field)


def _without_held_guests(target: model.Meeting, pair: Pair) -> model.Meeting:
    return replace(target, attendees=target.attendees - pair.held_guests)


def _is_of_earlier_life(pair: Pair) -> bool:
    """Tell whether the event was there before its id was reserved for the pair."""
    event = pair.event.event
    since = pair.link.pending_since if pair.link else None
    if event is None or event.created_at is None or since is None:
        return True
    if pair.is_first_try and event.is_cancelled:
        return True  # It ended before we began, however lately it was made.
    skew = timedelta(seconds=pair.connection.google_skew_seconds)
    return event.created_at - skew < since - _UNCERTAINTY


def _disregard(pair: Pair, target: model.Meeting) -> None:
    """Do not take what an earlier life of the link left for an edit of today.

    An old tombstone is no deletion of what we make just now, and where the event is
    alive nothing says which side was edited since.
    """
    dead = pair.event.event is None or pair.event.event.is_cancelled
    gone = model.Baseline(meeting=mapping.cancelled(target))
    pair.baseline = gone if dead else None
