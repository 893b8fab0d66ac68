"""One CRM: the tasks that changed since the last poll, whatever its webhooks said."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.adapters.store import tables
from shared.adapters.store.states import LinkState
from shared.domain import bursts, errors, messages, model
from shared.domain.messages import Message, Queue
from workers import intake, people
from workers.services import Services

OVERLAP = timedelta(seconds=30)
"""A change may become visible a little later than its time says."""


class Polling:
    """Handles the messages that name one organization."""

    def __init__(self, services: Services) -> None:
        """Take the CRMs to list."""
        self._services = services
        self._store = services.store
        self._remotes = services.remotes
        self._clock = services.clock

    def organization(self, message: Message, subject: messages.OrganizationDue) -> None:
        """Queue a look at each task that changed since the stored cursor."""
        with self._store.try_lock(f"crm:{subject.organization_id}") as held:
            if not held:
                raise errors.RecordBusyError
            with self._store.read() as work:
                organization = work.organizations.by_id(subject.organization_id)
            people.refresh(self._services, organization)
            self._poll(message, organization)

    def _poll(self, message: Message, organization: tables.Organization) -> None:
        crm = self._remotes.crm(organization)
        began_at = self._clock.now()
        since = organization.crm_cursor or organization.created_at
        page = crm.list_tasks(updated_since=since)
        job = intake.Job(self._services, message, None, organization_id=organization.id)
        with job:
            self._publish(job, organization, page.tasks)
            while page.next_cursor is not None:
                page = crm.list_tasks(updated_since=since, cursor=page.next_cursor)
                self._publish(job, organization, page.tasks)
        # What was listed now needs no second look, beyond what may appear late.
        skew = crm.clock_skew() or timedelta()
        self._advance(organization.id, max(since, began_at + skew - OVERLAP))

    def _publish(
        self,
        job: intake.Job,
        organization: tables.Organization,
        documents: Sequence[model.Document],
    ) -> None:
        with self._store.read() as work:
            ids = {document["id"] for document in documents}
            links = work.links.of_tasks(organization.id, ids)
        due = [
            (_due(organization, document), document)
            for document in documents
            if not is_settled(document, links.get(document["id"]))
        ]
        # What nobody can have done by hand must not hold up what somebody did.
        queue = Queue.RECORDS if len(due) <= bursts.MOST else Queue.BACKFILL
        job.publish_tasks(queue, due)

    def _advance(self, organization_id: int, cursor: datetime) -> None:
        with self._store.begin() as work:
            work.organizations.by_id(organization_id).crm_cursor = cursor
            work.commit()


def _due(
    organization: tables.Organization, document: model.Document
) -> messages.TaskDue:
    return messages.TaskDue(
        organization_id=organization.id,
        task_id=document["id"],
        version=document["version"],
    )


def is_settled(document: model.Document, link: tables.Link | None) -> bool:
    """Tell whether this version of a task with this link was dealt with before."""
    if link is None or link.task_version is None or link.state == LinkState.PENDING:
        return False
    return bool(link.task_version >= document["version"])
