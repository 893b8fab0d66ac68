"""The history: jobs, and what became of each record in them."""

from collections.abc import Collection
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Any, Self

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import JobFilter, UnitOfWork, tables
from shared.adapters.store.states import Direction, JobState
from shared.domain import reasons
from shared.domain.messages import Trigger
from webhook_receiver import identity, looks, problems
from webhook_receiver.api import routes, shapes
from webhook_receiver.services import Services
from webhook_receiver.syncs import Syncs


class ProgressDocument(shapes.Document):
    """How far a running job has come; `total` may grow while `is_listing`."""

    done: int
    total: int
    is_listing: bool
    rate_per_minute: float
    remaining_seconds: float | None

    @classmethod
    def of(cls, row: tables.Job, now: datetime) -> Self:
        """Return a job's progress.

        The remaining time is not known before a hundredth is done: until then, most of
        the time was spent on the lists.
        """
        minutes = (now - row.started_at).total_seconds() / 60
        rate = row.processed / minutes if minutes > 0 else 0.0
        total = row.found if row.expected is None else row.expected
        left = max(0, total - row.processed)
        is_telling = rate > 0 and row.processed * 100 >= total
        return cls(
            done=row.processed,
            total=max(total, row.processed),
            is_listing=row.expected is None,
            rate_per_minute=round(rate, 1),
            remaining_seconds=round(left / rate * 60, 1) if is_telling else None,
        )


class JobDocument(shapes.Document):
    """One piece of sync work."""

    id: int
    connection_id: int | None
    started_at: datetime
    finished_at: datetime | None
    trigger: str
    direction: str
    state: str
    processed: int
    conflicts: int
    errors: int
    progress: ProgressDocument | None = Field(description="Of a running job only.")

    @classmethod
    def of(cls, row: tables.Job, now: datetime) -> Self:
        """Return a job as the API shows it."""
        is_running = row.state == JobState.RUNNING
        return cls(
            progress=ProgressDocument.of(row, now) if is_running else None,
            id=row.id,
            connection_id=row.connection_id,
            started_at=row.started_at,
            finished_at=row.finished_at,
            trigger=row.trigger,
            direction=row.direction,
            state=row.state,
            processed=row.processed,
            conflicts=row.conflicts,
            errors=row.errors,
        )


class JobPage(shapes.Document):
    """A page of jobs, newest first."""

    items: list[JobDocument]
    next_cursor: str | None


class JobItemDocument(shapes.Document):
    """What became of one record in a job."""

    id: int
    at: datetime
    task_id: str | None
    event_id: str | None
    action: str
    outcome: str
    reason: str
    explanation: str
    error: str | None
    attempts: int
    next_attempt_at: datetime | None
    changes: dict[str, Any] | None
    crm: dict[str, Any] | None
    google: dict[str, Any] | None


class JobItemPage(shapes.Document):
    """A page of records, newest first."""

    items: list[JobItemDocument]
    next_cursor: str | None


class JobQuery(shapes.PageQuery):
    """Which jobs."""

    state: JobState | SkipJsonSchema[None] = shapes.left_out()
    direction: Direction | SkipJsonSchema[None] = shapes.left_out()
    connection_id: shapes.Id | SkipJsonSchema[None] = shapes.left_out()
    user: shapes.Text | SkipJsonSchema[None] = Field(
        default=None,
        json_schema_extra=shapes.without_default,
        description="The id of a user, or a part of a name or an address.",
    )
    has_errors: bool | SkipJsonSchema[None] = shapes.left_out()
    since: shapes.Instant | SkipJsonSchema[None] = shapes.left_out()
    until: shapes.Instant | SkipJsonSchema[None] = shapes.left_out()


class JobPath(shapes.Path):
    """Which job."""

    job_id: shapes.Id


_ONE = "/jobs/<int:job_id>"


class Jobs:
    """The calls about the history."""

    def __init__(self, services: Services) -> None:
        """Take the store and the broker."""
        self._store = services.store
        self._syncs = Syncs(services)
        self._clock = services.clock

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        get, anybody = HTTPMethod.GET, routes.HISTORY
        missing = [HTTPStatus.NOT_FOUND]
        api.add(get, "/jobs", self.list_jobs, roles=anybody, answer=JobPage)
        api.add(
            get,
            _ONE,
            self.show_job,
            roles=anybody,
            answer=JobDocument,
            refuses=missing,
        )
        api.add(
            get,
            f"{_ONE}/items",
            self.list_items,
            roles=anybody,
            answer=JobItemPage,
            refuses=missing,
        )
        api.add(
            HTTPMethod.POST,
            f"{_ONE}/retry",
            self.retry_job,
            roles=routes.OWN,
            answer=JobDocument,
            status=HTTPStatus.ACCEPTED,
            refuses=[*missing, HTTPStatus.CONFLICT],
        )

    def list_jobs(self, query: JobQuery) -> JobPage:
        """Return the jobs of the organization, or of the user's own connection."""
        caller = identity.caller()
        with self._store.read() as work:
            wanted = _wanted(work, query)
            which = JobFilter(
                state=query.state,
                direction=query.direction,
                connection_ids=wanted,
                has_errors=query.has_errors,
                since=query.since,
                until=query.until,
            )
            page = work.jobs.page(
                caller.organization_id, which, limit=query.limit, cursor=query.cursor
            )
        now = self._clock.now()
        items = [JobDocument.of(row, now) for row in page.rows]
        return JobPage(items=items, next_cursor=page.next_cursor)

    def show_job(self, path: JobPath) -> JobDocument:
        """Return one job."""
        with self._store.read() as work:
            return JobDocument.of(_visible(work, path.job_id), self._clock.now())

    def list_items(self, path: JobPath, query: shapes.PageQuery) -> JobItemPage:
        """Return the records of a job; of a shared one only the user's own."""
        with self._store.read() as work:
            job = _visible(work, path.job_id)
            own = own_connection(work) if identity.caller().is_confined else None
            page = work.items.page_of_job(
                job.id,
                connection_id=None if own == job.connection_id else own,
                limit=query.limit,
                cursor=query.cursor,
            )
        items = [_item(row) for row in page.rows]
        return JobItemPage(items=items, next_cursor=page.next_cursor)

    def retry_job(self, path: JobPath) -> JobDocument:
        """Try the failed records of a job again, as they are by now.

        Those that another job has dealt with since are left out. Their dead letters
        are discarded: the new job stands for them.
        """
        with self._store.begin() as work:
            job = _visible(work, path.job_id)
            failed = _still_failed(work, job)
            found = (looks.subject_of_item(work, item) for item in failed)
            # A record that failed twice in a job is looked at once.
            subjects = list(dict.fromkeys(each for each in found if each is not None))
            if not subjects:
                detail = "No record of this job is failed any more."
                raise problems.ProblemError(HTTPStatus.CONFLICT, detail)
            retry = work.jobs.start(
                organization_id=job.organization_id,
                connection_id=job.connection_id,
                trigger=Trigger.RETRY,
                direction=Direction(job.direction),
                now=self._clock.now(),
                expected=len(subjects),
            )
            work.commit()
        due = looks.messages_for(subjects, Trigger.RETRY, self._clock, job_id=retry.id)
        self._syncs.publish(due, [retry])
        with self._store.begin() as work:
            work.dead_letters.remove_deliveries({item.delivery_id for item in failed})
            work.commit()
        return JobDocument.of(retry, self._clock.now())


def _wanted(work: UnitOfWork, query: JobQuery) -> Collection[int] | None:
    """Return the connections whose jobs are asked for, None for everybody's."""
    caller = identity.caller()
    asked = []
    if query.connection_id is not None:
        asked.append({query.connection_id})
    if query.user is not None:
        like = work.connections.of_anybody_like(caller.organization_id, query.user)
        asked.append({row.id for row in like})
    if caller.is_confined:
        own = own_connection(work)
        asked.append(set() if own is None else {own})
    return set.intersection(*asked) if asked else None


def _still_failed(work: UnitOfWork, job: tables.Job) -> list[tables.JobItem]:
    own = own_connection(work) if identity.caller().is_confined else None
    return [
        item
        for item in work.items.failed_of_job(job.id)
        if own in {None, item.connection_id} and work.items.is_last_word(item)
    ]


def own_connection(work: UnitOfWork) -> int | None:
    """Return the connection of the user who calls, if there is one."""
    caller = identity.caller()
    if caller.crm_user_id is None:
        return None
    row = work.connections.of_user(caller.organization_id, caller.crm_user_id)
    return row.id if row else None


def _visible(work: UnitOfWork, job_id: int) -> tables.Job:
    row = work.jobs.get(job_id)
    caller = identity.caller()
    if row is None or row.organization_id != caller.organization_id:
        raise problems.not_found()
    if caller.is_confined:
        own = own_connection(work)
        if own is None or not work.jobs.concerns(row, own):
            raise problems.not_found()
    return row


def _item(row: tables.JobItem) -> JobItemDocument:
    return JobItemDocument(
        id=row.id,
        at=row.at,
        task_id=row.task_id,
        event_id=row.event_id,
        action=row.action,
        outcome=row.outcome,
        reason=row.reason,
        explanation=reasons.explain(row.reason),
        error=row.error,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        changes=row.changes,
        crm=row.crm,
        google=row.google,
    )
