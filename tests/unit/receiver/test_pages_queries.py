"""How many queries a page takes: as many for a few records as for a lot of them."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Direction
from shared.domain.messages import Trigger
from tests import store_rows
from tests.unit.receiver.house import NOW, House
from tests.unit.receiver.test_access import Town
from tests.unit.receiver.test_pages_access import PAGES

MORE = 30
_SLACK = 2
"""What is not asked for where there is nothing."""


@pytest.mark.parametrize(
    ("rule", "role"),
    [
        (rule, "user" if rule.startswith("/me") else "admin")
        for method, rule, roles in PAGES
        if method == "GET" and rule != "/admin/setup/connect"
    ],
)
def test_a_page_takes_as_many_queries_however_much_there_is(
    house: House, rule: str, role: str
) -> None:
    town = Town(house, "acme")
    path = f"{town.path(rule)}{'?task_id=t1' if rule == '/record' else ''}"
    browser = house.signed_in(town.organization, role, town.user_id)
    queries(house, browser, path)  # fills what is kept for a minute

    few = queries(house, browser, path)
    grow(town)
    many = queries(house, browser, path)

    assert 0 < many <= few + _SLACK


def queries(house: House, browser: FlaskClient, path: str) -> int:
    """Open a page; return how many statements that takes."""
    seen: list[str] = []

    def note(*given: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        seen.append(given[2])

    event.listen(house.store.engine, "before_cursor_execute", note)
    answer = browser.get(path)
    event.remove(house.store.engine, "before_cursor_execute", note)
    assert answer.status_code == 200, answer.text
    return len(seen)


def grow(town: Town) -> None:
    """Add many users, and many records of the town's user."""
    house, organization = town.house, town.organization
    for number in range(MORE):
        house.user(organization, f"p{number}")
        house.connection(organization, f"p{number}", google_sub=f"s{number}")
    with house.store.begin() as work:
        for number in range(MORE):
            _add_records(work, town, number)
        orphans = [_orphan(town, number) for number in range(MORE)]
        work.orphans.replace(organization.id, orphans)
        work.commit()


def _add_records(work: UnitOfWork, town: Town, number: int) -> None:
    organization_id = town.organization.id
    store_rows.add_calendar(work, town.connection, google_calendar_id=f"c{number}")
    task = {"id": f"m{number}", "owner_id": town.user_id}
    link = store_rows.add_link(work, town.organization, task_id=task["id"], task=task)
    work.conflicts.add(
        tables.Conflict(
            organization_id=organization_id,
            link_id=link.id,
            crm_user_id=town.user_id,
            fields=["title"],
            created_at=NOW,
            updated_at=NOW,
        )
    )
    work.jobs.start(
        organization_id=organization_id,
        connection_id=town.connection.id,
        trigger=Trigger.SCHEDULE,
        direction=Direction.BOTH,
        now=NOW,
    )
    for task_id, job_id in (("t1", town.job.id), (task["id"], town.job.id)):
        work.items.record(
            tables.JobItem(
                job_id=job_id,
                organization_id=organization_id,
                connection_id=town.connection.id,
                link_id=link.id,
                delivery_id=f"d-{task_id}-{number}",
                task_id=task_id,
                action="none",
                outcome="failed",
                reason="remote_rejected",
                attempts=1,
                at=NOW,
            )
        )
    work.held_deletions.add(
        tables.HeldDeletion(
            organization_id=organization_id,
            connection_id=town.connection.id,
            side="google" if number % 2 else "crm",
            created_at=NOW,
        )
    )
    work.dead_letters.file(
        tables.DeadLetter(
            organization_id=organization_id,
            delivery_id=f"dead-{number}",
            queue="records",
            reason="mapping",
            error="no start",
            task_id=task["id"],
            event_id=None,
            attempts=1,
            message="{}",
            created_at=NOW,
        )
    )


def _orphan(town: Town, number: int) -> tables.Orphan:
    return tables.Orphan(
        organization_id=town.organization.id,
        kind="dead-links",
        crm_user_id=town.user_id,
        task_id=f"o{number}",
        repair="forget the link",
    )
