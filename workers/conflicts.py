"""Conflicts that wait for a user: stored, told, followed, and settled as chosen."""

import logging
from datetime import datetime
from typing import Any

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import LinkState
from shared.domain import errors, mapping, ports
from shared.domain.conflict import Choice
from shared.domain.model import Field, Side
from shared.domain.reconcile import Decision
from workers.pair import Pair
from workers.remotes import Remotes

log = logging.getLogger(__name__)

Document = dict[str, Any]


def choice_for(work: UnitOfWork, pair: Pair) -> Choice | None:
    """Return what the user of a pair's conflict chose, if both sides are as seen then.

    Else the choice was about something that is not so any more.
    """
    if pair.link is None or pair.link.state != LinkState.CONFLICT:
        return None
    conflict = work.conflicts.open_of_link(pair.link.id)
    if conflict is None or conflict.choice is None:
        return None
    if (conflict.crm, conflict.google) != _sides(pair):
        return None
    return {Field(name): Side(side) for name, side in conflict.choice.items()}


def store(
    work: UnitOfWork, pair: Pair, decision: Decision, now: datetime
) -> tables.Conflict | None:
    """Store the conflict of a link as it is now; return it if its user must be told.

    The link says that it is in conflict only when that has been done.
    """
    if pair.link is None:
        return None
    is_untold = pair.link.state != LinkState.CONFLICT
    conflict = work.conflicts.open_of_link(pair.link.id)
    if conflict is None:
        conflict = _add(work, pair, pair.link, now)
        _follow(conflict, pair, decision, now)
    elif (conflict.crm, conflict.google) != _sides(pair):
        is_untold |= conflict.choice is not None
        _follow(conflict, pair, decision, now)
        conflict.version += 1
        conflict.choice = None
    return conflict if is_untold else None


def _add(
    work: UnitOfWork, pair: Pair, link: tables.Link, now: datetime
) -> tables.Conflict:
    return work.conflicts.add(
        tables.Conflict(
            organization_id=pair.organization.id,
            link_id=link.id,
            crm_user_id=pair.owner_id,
            fields=[],
            created_at=now,
            updated_at=now,
        )
    )


def _follow(
    conflict: tables.Conflict, pair: Pair, decision: Decision, now: datetime
) -> None:
    known = pair.baseline.meeting if pair.baseline else None
    conflict.fields = sorted(decision.contested)
    conflict.crm, conflict.google = _sides(pair)
    conflict.baseline = mapping.meeting_to_document(known) if known else None
    conflict.updated_at = now


def _sides(pair: Pair) -> tuple[Document | None, Document | None]:
    task, event = pair.task_meeting(), pair.event_meeting()
    return (
        mapping.meeting_to_document(task) if task else None,
        mapping.meeting_to_document(event) if event else None,
    )


def tell(
    conflict: tables.Conflict, pair: Pair, remotes: Remotes, *, public_url: str
) -> None:
    """Ask the user, in the CRM, to settle a conflict."""
    notification = ports.Notification(
        title="A meeting was changed in the CRM and in Google Calendar",
        body="Choose which version to keep. Until then, both stay as they are.",
        link=f"{public_url}/me/conflicts",
        key=f"conflict:{conflict.id}",
    )
    try:
        remotes.crm(pair.organization).notify(conflict.crm_user_id, notification)
    except errors.SyncError as failure:
        # The conflict is in the API and on the pages all the same.
        log.warning("The CRM did not take the notification: %s", failure)
