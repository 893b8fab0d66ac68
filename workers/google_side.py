"""Read and write the event of a pair, with compare-and-swap on its etag.

A write that finds the event moved on takes in its present state and raises the
`StaleStateError` again, so that the caller decides anew.
"""

import contextlib
from datetime import timedelta

from shared.domain import errors, mapping, model, ports
from shared.domain.reconcile import Write
from workers.pair import Pair
from workers.remotes import Remotes

SILENT = "none"
"""Google's `sendUpdates` for whatever a user did not do just now."""

_FRESH = timedelta(minutes=1)


class GoogleSide:
    """The event's half of a pair."""

    def __init__(self, remotes: Remotes, clock: ports.Clock) -> None:
        """Take the accounts to write to."""
        self._remotes = remotes
        self._clock = clock

    def read(self, pair: Pair) -> None:
        """Read the event into the pair."""
        google = self._remotes.google(pair.connection)
        try:
            document = google.get_event(pair.calendar.google_calendar_id, pair.event_id)
        except errors.RecordNotFoundError:
            pair.saw_no_event()
        else:
            pair.saw_event(document)

    def write(
        self, pair: Pair, write: Write, target: model.Meeting, *, send_updates: str
    ) -> None:
        """Bring the event to `target`; raises `StaleStateError` if it had moved on."""
        try:
            match write:
                case Write.NOTHING:
                    return
                case Write.CREATE:
                    self._create(pair, target, send_updates)
                case Write.CANCEL:
                    self.cancel(pair, send_updates=send_updates)
                case Write.UPDATE | Write.REVIVE:
                    self._patch(pair, target, send_updates)
        except errors.VersionMismatchError:
            self.read(pair)
            raise
        except errors.RecordNotFoundError:
            pair.saw_no_event()
            raise

    def cancel(self, pair: Pair, *, send_updates: str) -> None:
        """Cancel the event; one that is gone already is no error."""
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
        document = {**(pair.event.document or {}), "status": "cancelled", "etag": ""}
        pair.saw_event(document)

    def _create(self, pair: Pair, target: model.Meeting, send_updates: str) -> None:
        body = mapping.event_body(
            target,
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
            self._disregard_earlier_life(pair, target)
            raise
        pair.saw_event(created)

    def _disregard_earlier_life(self, pair: Pair, target: model.Meeting) -> None:
        """Do not take what an earlier life of the link left for an edit of today.

        An old tombstone is no deletion of what we make just now, and where the event
        is alive nothing says which side was edited since.
        """
        since = pair.link.pending_since if pair.link else None
        if since is not None and since < self._clock.now() - _FRESH:
            return
        dead = pair.event.event is None or pair.event.event.is_cancelled
        gone = model.Baseline(meeting=mapping.cancelled(target))
        pair.baseline = gone if dead else None

    def _patch(self, pair: Pair, target: model.Meeting, send_updates: str) -> None:
        if not pair.known_event.etag or pair.event_meeting() is None:
            # Known by its tombstone only, which has neither an etag nor fields.
            self.read(pair)
        event, present = pair.known_event, pair.event_meeting()
        fields = mapping.changed_fields(present, target) if present else _ALL_FIELDS
        body = mapping.event_patch(
            event,
            target,
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
        pair.saw_event(changed)


_ALL_FIELDS = frozenset(model.Field)
