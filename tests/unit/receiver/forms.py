"""Forms of pages as a browser sends them, and a history for pages to show."""

from datetime import timedelta
from typing import Any

from shared.adapters.store import tables
from shared.adapters.store.states import Direction
from shared.domain.messages import Trigger
from tests.unit.receiver.house import NOW, House, csrf_token


def send(browser: Any, path: str, **fields: str) -> Any:  # noqa: ANN401 - Flask's
    """Send a form of a page, and follow to the page after it."""
    fields = {"csrf_token": csrf_token(browser), **fields}
    return browser.post(path, data=fields, follow_redirects=True)


def job_of(house: House, row: tables.Connection, **columns: Any) -> tables.Job:  # noqa: ANN401
    """Store a job of a connection."""
    with house.store.begin() as work:
        job = work.jobs.start(
            organization_id=row.organization_id,
            connection_id=row.id,
            trigger=Trigger.MANUAL,
            direction=Direction.BOTH,
            now=NOW,
            **columns,
        )
        work.commit()
    return job


def add_item(house: House, job: tables.Job, number: int, **columns: Any) -> None:  # noqa: ANN401
    """Store what became of a record in a job."""
    values: dict[str, Any] = {
        "delivery_id": f"d{number}",
        "task_id": f"t{number}",
        "action": "update_event",
        "outcome": "applied",
        "reason": "task_edited",
        "attempts": 1,
        "at": NOW + timedelta(seconds=number),
        "crm": {"title": f"Meeting {number}."},
    } | columns
    with house.store.begin() as work:
        work.items.record(
            tables.JobItem(
                job_id=job.id,
                organization_id=job.organization_id,
                connection_id=job.connection_id,
                **values,
            )
        )
        work.commit()
