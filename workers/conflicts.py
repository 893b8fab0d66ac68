"""Conflicts that wait for a user: stored, followed while they wait, and told once."""

import logging
from datetime import datetime

from shared.adapters.store import UnitOfWork, tables
from shared.domain import errors, mapping, ports
from shared.domain.reconcile import Decision
from workers.pair import Pair
from workers.remotes import Remotes

log = logging.getLogger(__name__)


def store(
    work: UnitOfWork, pair: Pair, decision: Decision, now: datetime
) -> tables.Conflict | None:
    """Store or end the conflict of a link; return it if its user must be told."""
    if pair.link is None:
        return None
    if not decision.contested:
        if decision.target is not None or decision.detach:
            work.conflicts.resolve(pair.link.id, now=now)
        return None
    known = work.conflicts.open_of_link(pair.link.id)
    conflict = known or work.conflicts.add(
        tables.Conflict(
            organization_id=pair.organization.id,
            link_id=pair.link.id,
            crm_user_id=pair.owner_id,
            fields=[],
            created_at=now,
            updated_at=now,
        )
    )
    task, event = pair.task_meeting(), pair.event_meeting()
    known_to_both = pair.baseline.meeting if pair.baseline else None
    conflict.fields = sorted(decision.contested)
    conflict.crm = mapping.meeting_to_document(task) if task else None
    conflict.google = mapping.meeting_to_document(event) if event else None
    conflict.baseline = (
        mapping.meeting_to_document(known_to_both) if known_to_both else None
    )
    conflict.updated_at = now
    return None if known else conflict


def tell(
    conflict: tables.Conflict, pair: Pair, remotes: Remotes, *, public_url: str
) -> None:
    """Ask the user, in the CRM, to settle a conflict."""
    notification = ports.Notification(
        title="A meeting was changed in the CRM and in Google Calendar",
        body="Choose which version to keep. Until then, both stay as they are.",
        link=f"{public_url}/me",
        key=f"conflict:{conflict.id}",
    )
    try:
        remotes.crm(pair.organization).notify(conflict.crm_user_id, notification)
    except errors.SyncError as failure:
        # The conflict is in the API and on the pages all the same.
        log.warning("The CRM did not take the notification: %s", failure)
