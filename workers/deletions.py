"""The deletions in one run: too many at once are held until an admin has decided.

Somebody who empties a calendar by mistake, or a list that is wrong, must not empty the
other side as well (failure F45).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import LinkState
from shared.domain import mapping, messages, model
from shared.domain.settings import Settings

_SHARE = 0.2
"""Of the live links of a connection, so many may be deleted at once in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A linked record that is gone on one side; `subject` has it looked at."""

    link_id: int
    side: model.Side
    subject: messages.Subject


def of_event(
    work: UnitOfWork, due: messages.EventDue, event: model.Event | None
) -> Deletion | None:
    """Return the deletion that an event to be looked at stands for, if it does.

    One that has to be read first counts as deleted until then.
    """
    if event is not None and not event.is_cancelled:
        return None
    link = work.links.of_event(due.calendar_id, due.event_id)
    return _of_link(link, model.Side.GOOGLE, due)


def of_task(
    work: UnitOfWork, due: messages.TaskDue, document: model.Document | None
) -> Deletion | None:
    """Return the deletion that a task to be looked at stands for, if it does.

    One that no list showed counts as deleted until it is read.
    """
    if document is not None and not _is_over(document):
        return None
    link = work.links.of_task(due.organization_id, due.task_id)
    return _of_link(link, model.Side.CRM, due)


def _is_over(task: model.Document) -> bool:
    return bool(task["deleted"]) or task["status"] == model.TaskStatus.CANCELLED


def _of_link(
    link: tables.Link | None, side: model.Side, subject: messages.Subject
) -> Deletion | None:
    if link is None or link.held_deletion_id is not None or not is_live(link):
        return None
    return Deletion(link_id=link.id, side=side, subject=subject)


def is_live(link: tables.Link) -> bool:
    """Tell whether both sides last agreed on a meeting that takes place.

    A pending link has not got as far: its baseline is what is being made.
    """
    known = link.baseline
    if known is None or link.state == LinkState.PENDING:
        return False
    return not mapping.baseline_from_document(known).meeting.cancelled


def hold(
    work: UnitOfWork,
    deletions: Iterable[Deletion],
    settings: Settings,
    now: datetime,
) -> set[int]:
    """Store those that are too many for their connection; return their links' ids.

    That is more than the settings allow, and more than a fifth of the connection's
    live links (`semantics.md`, 36).
    """
    held: set[int] = set()
    for connection, found in _by_connection(work, deletions).items():
        links = {each.link_id for each in found}
        if len(links) <= settings.mass_deletion_limit:
            continue
        live = [link for link in work.links.of_connection(connection) if is_live(link)]
        if len(links) <= _SHARE * len(live):
            continue
        for side in {each.side for each in found}:
            theirs = [each.link_id for each in found if each.side is side]
            _store(work, connection, side, theirs, now)
        held |= links
    return held


def _by_connection(
    work: UnitOfWork, deletions: Iterable[Deletion]
) -> Mapping[int, Sequence[Deletion]]:
    found: dict[int, list[Deletion]] = defaultdict(list)
    for deletion in deletions:
        link = work.links.by_id(deletion.link_id)
        calendar = work.calendars.get(link.calendar_id)
        # Where nothing is synced any more, nothing would be cancelled.
        if calendar is not None and calendar.is_selected:
            found[calendar.connection_id].append(deletion)
    return found


def _store(
    work: UnitOfWork,
    connection_id: int,
    side: model.Side,
    link_ids: Iterable[int],
    now: datetime,
) -> None:
    connection = work.connections.by_id(connection_id)
    row = work.held_deletions.add(
        tables.HeldDeletion(
            organization_id=connection.organization_id,
            connection_id=connection.id,
            side=side,
            created_at=now,
        )
    )
    for link_id in link_ids:
        work.links.by_id(link_id).held_deletion_id = row.id
