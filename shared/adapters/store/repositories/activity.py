"""What has happened over time, added up where it is stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, case, cast, extract, func, select
from sqlalchemy.orm import Session

from shared.adapters.store.states import Direction, Outcome
from shared.adapters.store.tables import Job, JobItem
from shared.domain.messages import Trigger

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What was done in the hour that begins at `at`."""

    at: datetime
    to_google: int = 0
    to_crm: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A change that was made in Google and has reached the CRM."""

    trigger: str
    at: datetime
    edited_at: datetime | None


class Activity:
    """Queries on the lines of the history, over a span of time."""

    def __init__(self, session: Session) -> None:
        """Take the session of the unit of work."""
        self._session = session

    def by_hour(
        self, organization_id: int, *, since: datetime, hours: int
    ) -> list[Hour]:
        """Return every one of so many hours, those without any change included."""
        second = cast(extract("epoch", JobItem.at), BigInteger)
        number = (second - int(since.timestamp())) // 3600
        written = JobItem.outcome.in_({Outcome.APPLIED, Outcome.CONFLICT})
        counted = (
            select(
                number.label("number"),
                _sum(written & JobItem.action.contains("_event")),
                _sum(written & JobItem.action.contains("_task")),
                _sum(JobItem.outcome == Outcome.FAILED),
            )
            .where(
                JobItem.organization_id == organization_id,
                JobItem.at >= since,
                JobItem.at < since + hours * HOUR,
            )
            .group_by("number")
        )
        found = {row[0]: row[1:] for row in self._session.execute(counted)}
        return [_hour(since, each, found.get(each, (0, 0, 0))) for each in range(hours)]

    def arrivals(
        self, organization_id: int, *, since: datetime, limit: int
    ) -> Sequence[Arrival]:
        """Return the newest changes that came from Google, by push or by a poll."""
        query = (
            select(Job.trigger, JobItem.at, JobItem.google["edited_at"].as_string())
            .join(Job, Job.id == JobItem.job_id)
            .where(
                JobItem.organization_id == organization_id,
                JobItem.at >= since,
                JobItem.outcome == Outcome.APPLIED,
                Job.direction == Direction.GOOGLE_TO_CRM,
                Job.trigger.in_([Trigger.WEBHOOK, Trigger.SCHEDULE]),
            )
            .order_by(JobItem.at.desc(), JobItem.id.desc())
            .limit(limit)
        )
        return [
            Arrival(
                trigger=trigger,
                at=at,
                edited_at=datetime.fromisoformat(edited) if edited else None,
            )
            for trigger, at, edited in self._session.execute(query)
        ]

    def errors_among(
        self, connection_ids: Collection[int], *, since: datetime
    ) -> dict[int, int]:
        """Return how many records of these connections failed since, where any did."""
        counted = (
            select(JobItem.connection_id, func.count())
            .where(
                JobItem.connection_id.in_(connection_ids),
                JobItem.at >= since,
                JobItem.outcome == Outcome.FAILED,
            )
            .group_by(JobItem.connection_id)
        )
        return {id_: count for id_, count in self._session.execute(counted) if id_}

    def newest_of(self, connection_id: int, *, limit: int) -> Sequence[JobItem]:
        """Return the last lines about a connection in which something came about."""
        query = (
            select(JobItem)
            .where(
                JobItem.connection_id == connection_id,
                JobItem.outcome != Outcome.UNCHANGED,
            )
            .order_by(JobItem.at.desc(), JobItem.id.desc())
        )
        return self._session.scalars(query.limit(limit)).all()


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _hour(since: datetime, number: int, counts: Sequence[int]) -> Hour:
    to_google, to_crm, failed = counts
    at = since + number * HOUR
    return Hour(at=at, to_google=to_google, to_crm=to_crm, errors=failed)
