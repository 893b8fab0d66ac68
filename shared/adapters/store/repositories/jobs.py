"""Queries on jobs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, union, update

from shared.adapters.store.repositories.repository import Page, Repository
from shared.adapters.store.states import Direction, JobState, Outcome
from shared.adapters.store.tables import Job, JobItem
from shared.domain.messages import Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs to list; what is None does not matter.

    A poll of the CRM belongs to no connection, its records do: so the jobs of a
    connection are its own, and those with a record of it. `connection_ids` are few.
    """

    state: JobState | None = None
    direction: Direction | None = None
    connection_ids: Collection[int] | None = None
    has_errors: bool | None = None
    since: datetime | None = None
    """Begun then or later."""
    until: datetime | None = None
    """Begun before then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTotals:
    """What a number of jobs add up to."""

    jobs: int
    processed: int
    conflicts: int
    errors: int


class Jobs(Repository[Job]):
    """Queries on jobs."""

    table = Job

    def start(
        self,
        *,
        organization_id: int,
        connection_id: int | None,
        trigger: Trigger,
        direction: Direction,
        now: datetime,
        expected: int | None = None,
    ) -> Job:
        """Store a job that begins now; `expected` records end it, None: not known yet.

        A job without records ends at once, or when `expect` is told so.
        """
        job = Job(
            organization_id=organization_id,
            connection_id=connection_id,
            trigger=trigger,
            direction=direction,
            started_at=now,
            expected=expected,
            processed=0,
            errors=0,
        )
        _finish(job, now)
        return self.add(job)

    def of_one(self, item: JobItem, *, trigger: Trigger, direction: Direction) -> Job:
        """Store a job that had this one record, and the record."""
        job = Job(
            organization_id=item.organization_id,
            connection_id=item.connection_id,
            trigger=trigger,
            direction=direction,
            started_at=item.at,
            expected=1,
            processed=0,
            conflicts=0,
            errors=0,
        )
        count(job, before=None, after=item.outcome, now=item.at)
        item.job_id = self.add(job).id
        self._session.add(item)
        self._session.flush()
        return job

    def still_listing(self, connection_id: int, trigger: Trigger) -> Job | None:
        """Return the newest running job of a connection that has not listed all yet."""
        mine = (Job.connection_id == connection_id, Job.trigger == trigger)
        is_listing = (Job.state == JobState.RUNNING, Job.expected.is_(None))
        query = select(Job).where(*mine, *is_listing)
        return self._first(query.order_by(Job.id.desc()))

    def last_begun(
        self, organization_id: int, trigger: Trigger, direction: Direction
    ) -> datetime | None:
        """Return when the newest job of this kind began."""
        mine = (Job.organization_id == organization_id, Job.trigger == trigger)
        query = select(Job).where(*mine, Job.direction == direction)
        job = self._first(query.order_by(Job.id.desc()))
        return job.started_at if job else None

    def running_of(self, connection_id: int) -> Job | None:
        """Return the newest job of a connection that has not ended."""
        is_running = Job.state == JobState.RUNNING
        query = select(Job).where(Job.connection_id == connection_id, is_running)
        return self._first(query.order_by(Job.id.desc()))

    def running_of_each(self, connection_id: int | None) -> Sequence[Job]:
        """Return all jobs of a connection that have not ended."""
        is_running = Job.state == JobState.RUNNING
        query = select(Job).where(Job.connection_id == connection_id, is_running)
        return self._all(query.order_by(Job.id))

    def locked(self, job_id: int) -> Job:
        """Return a job as it is now; others wait to change it until we are done."""
        return self._locked(job_id)

    def note_found(self, job_id: int, more: int) -> None:
        """Count records that were listed, while there may be others."""
        mine = update(Job).where(Job.id == job_id)
        self._changed(mine.values(found=Job.found + more))

    def expect(self, job_id: int, expected: int, *, now: datetime) -> None:
        """Set how many records belong to the job, now that all are listed."""
        mine = update(Job).where(Job.id == job_id).values(expected=expected)
        fresh = {"populate_existing": True}
        told = self._session.scalars(mine.returning(Job), execution_options=fresh)
        _finish(self._there(told.one_or_none(), job_id), now)
        self._session.flush()

    def fail(self, job_id: int, *, now: datetime) -> None:
        """End a job whose work could not be queued."""
        job = self._locked(job_id)
        job.state = JobState.FAILED
        job.finished_at = _end(job, now)
        self._session.flush()

    def end_begun_before(self, moment: datetime, *, limit: int) -> int:
        """End jobs that began before then and will never end; return how many."""
        old = select(Job.id).where(Job.finished_at.is_(None), Job.started_at < moment)
        some = update(Job).where(Job.id.in_(old.limit(limit)))
        ended = some.values(state=JobState.FAILED, finished_at=Job.started_at)
        return self._changed(ended.execution_options(synchronize_session=False))

    def forget_before(self, moment: datetime, *, limit: int) -> int:
        """Delete the jobs that ended first, before then; return how many there were.

        Those that still have lines in the history stay.
        """
        has_items = exists().where(JobItem.job_id == Job.id)
        is_over = (Job.state != JobState.RUNNING, Job.finished_at < moment)
        old = select(Job.id).where(*is_over, ~has_items).order_by(Job.finished_at)
        return self._forget(old, limit=limit)

    def concerns(self, job: Job, connection_id: int) -> bool:
        """Tell whether a job is this connection's, or has a record of it."""
        return self._count(Job.id == job.id, _concerns([connection_id])) > 0

    def totals_since(self, organization_id: int, since: datetime) -> JobTotals:
        """Return what an organization's jobs that began since then add up to."""
        mine = Job.organization_id == organization_id
        row = self._session.execute(
            select(
                func.count(Job.id),
                func.coalesce(func.sum(Job.processed), 0),
                func.coalesce(func.sum(Job.conflicts), 0),
                func.coalesce(func.sum(Job.errors), 0),
            ).where(mine, Job.started_at >= since)
        ).one()
        return JobTotals(jobs=row[0], processed=row[1], conflicts=row[2], errors=row[3])

    def page(
        self,
        organization_id: int,
        which: JobFilter,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Job]:
        """Return jobs of an organization, newest first."""
        query = select(Job).where(Job.organization_id == organization_id)
        if which.state is not None:
            query = query.where(Job.state == which.state)
        if which.direction is not None:
            query = query.where(Job.direction == which.direction)
        if which.connection_ids is not None:
            query = query.where(_concerns(which.connection_ids))
        if which.since is not None:
            query = query.where(Job.started_at >= which.since)
        if which.until is not None:
            query = query.where(Job.started_at < which.until)
        if which.has_errors is not None:
            query = query.where((Job.errors > 0) == which.has_errors)
        return self._newest_first(query, limit=limit, cursor=cursor)


def _concerns(connection_ids: Collection[int]) -> ColumnElement[bool]:
    """Begin with what is theirs: there may be many more jobs than that."""
    own = select(Job.id).where(Job.connection_id.in_(connection_ids))
    shared = select(JobItem.job_id).where(JobItem.connection_id.in_(connection_ids))
    return Job.id.in_(union(own, shared))


def count(job: Job, *, before: str | None, after: str, now: datetime) -> None:
    """Count a record whose outcome was `before`, None at first, and is `after`.

    Ends the job with its last record.
    """
    job.processed += before is None
    job.conflicts += (after == Outcome.CONFLICT) - (before == Outcome.CONFLICT)
    job.errors += (after == Outcome.FAILED) - (before == Outcome.FAILED)
    _finish(job, now)


def _finish(job: Job, now: datetime) -> None:
    """End the job once every record had its first attempt; later ones correct it."""
    if job.expected is None or job.processed < job.expected:
        return
    if job.errors == 0:
        job.state = JobState.SUCCEEDED
    elif job.errors < job.processed:
        job.state = JobState.PARTIAL
    else:
        job.state = JobState.FAILED
    job.finished_at = job.finished_at or _end(job, now)


def _end(job: Job, now: datetime) -> datetime:
    """Return the time at which a job ended; who ended it may have looked before."""
    return max(now, job.started_at)
