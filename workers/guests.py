"""Guests whom Google does not let us invite at present: held back, and invited later.

Google limits how many guests an account invites, for hours or longer, whether they are
mailed or not (403 quotaExceeded, facts 182 and 190-192, failure F26). The event is
written without those guests then. Until they are invited it counts as if they were on
it (`Pair.event_meeting`): so their absence is nobody's edit, all else goes on to be
synced both ways, and no guest is lost. They are tried again when their time has come,
and with every edit of the guests.
"""

import logging
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta

from shared.adapters.store import Store
from shared.domain import errors, model, ports
from shared.domain.model import Address
from shared.domain.reconcile import Write
from workers import stored
from workers.google_side import GoogleSide
from workers.pair import Pair

log = logging.getLogger(__name__)

HELD_GUESTS_WAIT = timedelta(hours=4)
"""How long held guests wait for the next try to invite them."""


class Guests:
    """Writes events, if need be without the guests who cannot be invited."""

    def __init__(self, store: Store, google: GoogleSide, clock: ports.Clock) -> None:
        """Take the event's side, and the store that remembers held guests."""
        self._store = store
        self._google = google
        self._clock = clock

    def write(
        self, pair: Pair, write: Write, target: model.Meeting, *, send_updates: str
    ) -> None:
        """Bring the event to `target`, but for guests whom Google does not let in.

        Raises `StaleStateError` if the event had moved on, and `UsageLimitError` where
        Google's limit is not about guests.
        """
        known, pair.held_guests = pair.held_guests, _to_hold(pair, write, target)
        try:
            self._google.write(pair, write, target, send_updates=send_updates)
        except errors.UsageLimitError:
            late = target.attendees - pair.guests_on_event()
            if write is Write.CANCEL or late <= pair.held_guests:
                pair.held_guests = known
                raise
            self._hold(pair, late)
            self._google.write(pair, write, target, send_updates=send_updates)
        except errors.SyncError:
            pair.held_guests = known
            raise

    def _hold(self, pair: Pair, late: AbstractSet[Address]) -> None:
        """Commit who is held back, before the call that leaves them out.

        After a crash their absence would otherwise look like an edit in Google.
        """
        pair.held_guests = frozenset(late)
        pair.guests_due_at = self._clock.now() + HELD_GUESTS_WAIT
        pair.were_guests_refused = True
        if pair.baseline is not None:
            known = pair.baseline.meeting
            agreed = replace(known, attendees=known.attendees | late)
            pair.baseline = replace(pair.baseline, meeting=agreed)
        with self._store.begin() as work:
            pair.link = link = work.links.by_id(pair.link.id if pair.link else None)
            stored.hold_guests(link, pair)
            work.commit()
        log.warning("Held back %s guests of link %s", len(late), link.id)


def _to_hold(pair: Pair, write: Write, target: model.Meeting) -> frozenset[Address]:
    """Return whom to leave out of a write: nobody, where it is about guests anyway."""
    seen = pair.event_meeting()
    counted = seen.attendees if seen else frozenset()
    if write is Write.CREATE or pair.is_inviting or target.attendees - counted:
        return frozenset()
    return pair.held_guests & target.attendees
