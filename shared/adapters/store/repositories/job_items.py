"""Queries on the lines of the history."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select

from shared.adapters.store.repositories import jobs
from shared.adapters.store.repositories.repository import Page, Repository
from shared.adapters.store.states import JobState, Outcome
from shared.adapters.store.tables import Job, JobItem


class JobItems(Repository[JobItem]):
    """Queries on job items."""

    table = JobItem

    def record(self, row: JobItem) -> JobItem:
        """Store the item of (job, delivery), or correct it after a later attempt.

        Moves the counters of the job along, and ends the job with its last item; other
        workers wait with items of this job until we are done. `row` is a new row; what
        it leaves unset is null, in a correction too.
        """
        job = jobs.Jobs(self._session).locked(row.job_id)
        known = self._of_delivery(row.job_id, row.delivery_id)
        before = known.outcome if known else None
        stored = self._correct(known, row) if known else self.add(row)
        jobs.count(job, before=before, after=stored.outcome, now=stored.at)
        self._session.flush()
        return stored

    def page_of_job(
        self,
        job_id: int,
        *,
        connection_id: int | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[JobItem]:
        """Return the items of a job, or those of one connection, newest first."""
        query = select(JobItem).where(JobItem.job_id == job_id)
        if connection_id is not None:
            query = query.where(JobItem.connection_id == connection_id)
        return self._newest_first(query, limit=limit, cursor=cursor)

    def failed_of_job(self, job_id: int) -> Sequence[JobItem]:
        """Return the items of a job that failed."""
        failed = JobItem.outcome == Outcome.FAILED
        query = select(JobItem).where(JobItem.job_id == job_id, failed)
        return self._all(query.order_by(JobItem.id))

    def deliveries_of_job(self, job_id: int) -> set[str]:
        """Return the deliveries that have an item in a job."""
        query = select(JobItem.delivery_id).where(JobItem.job_id == job_id)
        return set(self._session.scalars(query))

    def count_reasons(self, job_id: int) -> Sequence[tuple[str, str, int]]:
        """Return the outcomes and reasons of a job's items, and how many have each."""
        count = func.count(JobItem.id)
        counted = (
            select(JobItem.outcome, JobItem.reason, count)
            .where(JobItem.job_id == job_id)
            .group_by(JobItem.outcome, JobItem.reason)
            .order_by(count.desc(), JobItem.reason)
        )
        rows = self._session.execute(counted)
        return [(outcome, reason, number) for outcome, reason, number in rows]

    def is_last_word(self, item: JobItem) -> bool:
        """Tell whether no later line is about the same record."""
        if item.task_id is None and item.event_id is None:
            return True
        same = (
            JobItem.task_id == item.task_id
            if item.task_id is not None
            else JobItem.event_id == item.event_id
        )
        mine = JobItem.organization_id == item.organization_id
        return self._count(mine, same, JobItem.id > item.id) == 0

    def history_of_link(self, link_id: int, *, limit: int = 100) -> Sequence[JobItem]:
        """Return what was decided about a link, newest first."""
        return self._history(JobItem.link_id == link_id, limit=limit)

    def history_of_task(
        self, organization_id: int, task_id: str, *, limit: int = 100
    ) -> Sequence[JobItem]:
        """Return what was decided about a task, newest first."""
        mine = JobItem.organization_id == organization_id
        return self._history(mine, JobItem.task_id == task_id, limit=limit)

    def history_of_event(
        self, organization_id: int, event_id: str, *, limit: int = 100
    ) -> Sequence[JobItem]:
        """Return what was decided about an event, newest first."""
        mine = JobItem.organization_id == organization_id
        return self._history(mine, JobItem.event_id == event_id, limit=limit)

    def forget_before(
        self, organization_id: int, moment: datetime, *, limit: int
    ) -> int:
        """Delete the oldest lines from before then; return how many there were.

        Those of a job that still runs stay.
        """
        is_old = (JobItem.organization_id == organization_id, JobItem.at < moment)
        is_running = exists().where(
            Job.id == JobItem.job_id, Job.state == JobState.RUNNING
        )
        old = select(JobItem.id).where(*is_old, ~is_running).order_by(JobItem.at)
        return self._forget(old, limit=limit)

    def _history(
        self, *conditions: ColumnElement[bool], limit: int
    ) -> Sequence[JobItem]:
        query = select(JobItem).where(*conditions).order_by(JobItem.id.desc())
        return self._all(query.limit(limit))

    def _of_delivery(self, job_id: int, delivery_id: str) -> JobItem | None:
        return self._one(
            select(JobItem).where(
                JobItem.job_id == job_id, JobItem.delivery_id == delivery_id
            )
        )

    @staticmethod
    def _correct(known: JobItem, row: JobItem) -> JobItem:
        for column in JobItem.__table__.columns:
            if not column.primary_key:
                setattr(known, column.name, getattr(row, column.name))
        return known
