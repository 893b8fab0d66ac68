"""The loop breaker: a record that both sides keep changing is left alone for a while.

No edit of ours comes back as one (an echo equals the baseline), unless a side rewrites
what it is given in a way that we do not know. Then each write is answered by an edit,
for ever (failure F19). A few turns within minutes are enough to tell: people do not do
that. The rest goes on meanwhile.
"""

import logging
from datetime import datetime, timedelta

from shared.adapters.store import UnitOfWork, tables
from shared.domain import errors, model, ports
from shared.domain.messages import Message, Trigger
from workers.history import Entry
from workers.pair import Pair
from workers.remotes import Remotes

log = logging.getLogger(__name__)

MOST_TURNS = 6
"""So often the side that is written may change, in `SPAN`."""

SPAN = timedelta(minutes=10)

REST = timedelta(hours=1)
"""How long the record is left alone, unless somebody asks for it by hand."""


def holds(pair: Pair, message: Message, now: datetime) -> bool:
    """Tell whether a record is to be left alone at present."""
    until = pair.link.quarantined_until if pair.link else None
    is_asked_for = message.trigger in {Trigger.MANUAL, Trigger.RETRY}
    return until is not None and now < until and not is_asked_for


def note(
    work: UnitOfWork, pair: Pair, entry: Entry, now: datetime
) -> tables.Link | None:
    """Take in which side was written; return the link if it is quarantined by that."""
    written = _written(entry.action)
    if pair.link is None or written is None:
        return None
    link = work.links.by_id(pair.link.id)
    if link.turned_at is None or now - link.turned_at > SPAN:
        link.turns, link.turned_at = 0, now
    link.turns += link.written not in {None, written}
    link.written = written
    is_loop = link.turns >= MOST_TURNS
    link.quarantined_until = now + REST if is_loop else None
    if not is_loop:
        return None
    link.turns = 0
    return link


def _written(action: str) -> model.Side | None:
    """Return the side that alone was written; None where both or neither were."""
    if "+" in action or action == "none":
        return None
    return model.Side.GOOGLE if action.endswith("_event") else model.Side.CRM


def tell(link: tables.Link, pair: Pair, remotes: Remotes, *, public_url: str) -> None:
    """Tell the owner, in the CRM, that a meeting is not synced for a while."""
    log.warning("Quarantined link %s: both sides keep changing it", link.id)
    notification = ports.Notification(
        title="A meeting keeps changing in the CRM and in Google Calendar",
        body=(
            "Something changes it back after every sync, so it is left alone for an "
            "hour. Look for another program that edits it, then sync by hand."
        ),
        link=f"{public_url}/me",
        key=f"quarantine:{link.id}",
    )
    try:
        remotes.crm(pair.organization).notify(pair.owner_id, notification)
    except errors.SyncError as failure:
        # The record's history says it all the same.
        log.warning("The CRM did not take the notification: %s", failure)
