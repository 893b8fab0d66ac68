"""The history: which syncs there were, and what became of each record in them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from http import HTTPStatus

from flask import g, redirect, render_template
from flask.typing import ResponseReturnValue
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store.states import Direction, JobState
from webhook_receiver import identity
from webhook_receiver.api import shapes
from webhook_receiver.api.jobs import (
    JobDocument,
    JobPath,
    JobQuery,
    Jobs,
    own_connection,
)
from webhook_receiver.pages import asking, meetings, naming, people
from webhook_receiver.pages.people import Person
from webhook_receiver.pages.routes import ADMIN_OR_USER, EVERYBODY, PageRoutes
from webhook_receiver.services import Services


class HistoryQuery(shapes.PageQuery):
    """Which jobs to show; the days are the viewer's."""

    state: JobState | SkipJsonSchema[None] = None
    direction: Direction | SkipJsonSchema[None] = None
    has_errors: bool | SkipJsonSchema[None] = None
    user: shapes.Text | SkipJsonSchema[None] = None
    first: date | SkipJsonSchema[None] = None
    last: date | SkipJsonSchema[None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A job, and whose it is; None for one that is everybody's."""

    job: JobDocument
    person: Person | None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.job.finished_at is None:
            return None
        return (self.job.finished_at - self.job.started_at).total_seconds()


class History:
    """Shows what `api.jobs` answers."""

    def __init__(self, services: Services) -> None:
        """Take the history."""
        self._store = services.store
        self._jobs = Jobs(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        one = "/admin/history/<int:job_id>"
        routes.show("/admin/history", self.history, roles=EVERYBODY)
        routes.show("/me/history", self.own_history, roles=EVERYBODY)
        routes.show(one, self.job, roles=EVERYBODY)
        routes.take(f"{one}/retry", self.retry, roles=ADMIN_OR_USER)

    def history(self) -> ResponseReturnValue:
        """List the jobs of the organization; a user's are only the own ones."""
        return self._list(asking.query(HistoryQuery), None)

    def own_history(self) -> ResponseReturnValue:
        """List the jobs of the viewer's own connection."""
        with self._store.read() as work:
            own = own_connection(work)
        return self._list(asking.query(HistoryQuery), own or _NOBODY)

    def _list(
        self, query: HistoryQuery, connection_id: int | None
    ) -> ResponseReturnValue:
        page = self._jobs.list_jobs(
            JobQuery(
                limit=query.limit,
                cursor=query.cursor,
                state=query.state,
                direction=query.direction,
                has_errors=query.has_errors,
                connection_id=connection_id,
                user=query.user,
                since=_begin(query.first),
                until=_begin(query.last + _DAY) if query.last else None,
            )
        )
        organization_id = identity.caller().organization_id
        with self._store.read() as work:
            ids = {job.connection_id for job in page.items}
            named = people.of_connections(work, organization_id, ids)
        lines = [
            Line(job=job, person=named.get(job.connection_id or _NOBODY))
            for job in page.items
        ]
        return render_template(
            "history.html",
            lines=lines,
            query=query,
            next_page=asking.next_page(page.next_cursor),
        )

    def job(self, job_id: int) -> ResponseReturnValue:
        """Show a job, and its records."""
        path = JobPath(job_id=job_id)
        query = asking.query(shapes.PageQuery)
        job = self._jobs.show_job(path)
        items = self._jobs.list_items(path, query)
        organization_id = identity.caller().organization_id
        with self._store.read() as work:
            named = people.of_connections(work, organization_id, [job.connection_id])
            titles = naming.titles(work, items.items)
        return render_template(
            "job.html",
            line=Line(job=job, person=named.get(job.connection_id or _NOBODY)),
            records=[
                (item, meetings.title_seen(item.crm, item.google) or title)
                for item, title in zip(items.items, titles, strict=True)
            ],
            next_page=asking.next_page(items.next_cursor),
        )

    def retry(self, job_id: int) -> ResponseReturnValue:
        """Try the failed records of a job again; show the job that does."""
        started = self._jobs.retry_job(JobPath(job_id=job_id))
        return redirect(f"/admin/history/{started.id}", HTTPStatus.SEE_OTHER)


_NOBODY = 2**62
"""No connection has this id."""

_DAY = timedelta(days=1)


def _begin(day: date | None) -> datetime | None:
    """Return when a day begins where the viewer is."""
    return datetime.combine(day, time(), g.viewer.zone) if day else None
