"""Searches for orphans and duplicates that an admin asked for, and their repair.

A repair searches again: what was found a while ago may be in order by now, and only
what is still found is touched.
"""

import logging
from collections.abc import Mapping, Sequence

from shared.adapters.store import tables
from shared.adapters.store.states import OrphanState
from shared.domain import errors, messages
from shared.domain.messages import Message
from workers import search
from workers.mending import Mending
from workers.orphans import Orphan
from workers.services import Services

log = logging.getLogger(__name__)

_Key = tuple[str, str | None, str | None, str | None]


class Searching:
    """Handles the messages that ask for a search, or for the repair of its findings."""

    def __init__(self, services: Services) -> None:
        """Take both outside worlds; a search only reads them."""
        self._services = services
        self._store = services.store
        self._clock = services.clock

    def search(self, message: Message, subject: messages.SearchDue) -> None:
        """Store what there is to find, or why that cannot be told."""
        with self._store.read() as work:
            organization = work.organizations.by_id(subject.organization_id)
            asked = work.searches.get(organization.id)
        if asked is None or asked.requested_at > message.queued_at:
            return  # Asked for anew since.
        findings, error = search.Findings(), None
        try:
            findings = search.find(self._services, organization)
        except errors.SyncError as refusal:
            error = str(refusal)
        with self._store.begin() as work:
            if error is None:
                rows = [_row(organization, each) for each in findings.orphans]
                work.orphans.replace(organization.id, rows)
            work.searches.finish(
                organization.id,
                unread=[each.crm_user_id for each in findings.unread],
                error=error,
                now=self._clock.now(),
            )
            work.commit()
        log.info("Found %d orphans and duplicates", len(findings.orphans))

    def repair(self, subject: messages.RepairDue) -> None:
        """Repair what was chosen and is still found."""
        with self._store.read() as work:
            organization = work.organizations.by_id(subject.organization_id)
            chosen = work.orphans.chosen(organization.id)
        if not chosen:
            return
        try:
            findings = search.find(self._services, organization)
        except errors.SyncError as refusal:
            self._note(dict.fromkeys((row.id for row in chosen), str(refusal)))
            return
        self._repair(organization, chosen, findings.orphans)

    def _repair(
        self,
        organization: tables.Organization,
        chosen: Sequence[tables.Orphan],
        found: Sequence[Orphan],
    ) -> None:
        mending = Mending(self._services, organization)
        still = {_key(each): each for each in found if each.repair is not None}
        outcomes: dict[int, str | OrphanState] = {}
        for row in chosen:
            orphan = still.get(_key(row))
            if orphan is None:
                outcomes[row.id] = OrphanState.GONE
                continue
            try:
                mending.repair(orphan)
                outcomes[row.id] = OrphanState.REPAIRED
            except errors.SyncError as error:
                # The others are repaired all the same.
                outcomes[row.id] = str(error)
        self._note(outcomes)

    def _note(self, outcomes: Mapping[int, str | OrphanState]) -> None:
        """Store what has become of each; a text is why it failed."""
        with self._store.begin() as work:
            for row_id, outcome in outcomes.items():
                row = work.orphans.get(row_id)
                if row is None:
                    continue  # another search has been made since
                is_state = isinstance(outcome, OrphanState)
                row.state = outcome if is_state else OrphanState.FAILED
                row.error = None if is_state else outcome
            work.commit()


def _key(one: Orphan | tables.Orphan) -> _Key:
    return (one.kind, one.task_id, one.event_id, one.calendar)


def _row(organization: tables.Organization, orphan: Orphan) -> tables.Orphan:
    return tables.Orphan(
        organization_id=organization.id,
        kind=orphan.kind,
        crm_user_id=orphan.crm_user_id,
        task_id=orphan.task_id,
        event_id=orphan.event_id,
        title=orphan.title,
        calendar=orphan.calendar,
        like=orphan.like,
        repair=orphan.repair,
    )
