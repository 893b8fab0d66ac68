"""The database is restored from a backup, or lost: nothing is doubled or undone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.e2e.stream import assert_nothing_travels
from tests.e2e.system import (
    ANN,
    BEN,
    CLIENT,
    ORGANIZATION,
    PEOPLE,
    Person,
    System,
    eventually,
)
from tests.e2e.test_scenario import START, new_event, new_task
from tests.services import postgresql, vhosts

_SAFETY_POLL_SECONDS = 2
_STILL_SECONDS = 3.0
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        postgresql.find() is None, reason="PostgreSQL's programs are not installed"
    ),
]


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with services.database() as url:
        yield url


@pytest.fixture(scope="module")
def amqp_url() -> Iterator[str]:
    with services.virtual_host() as url:
        yield url


@pytest.fixture(scope="module")
def system(
    database_url: str, amqp_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    with System(
        tmp_path_factory.mktemp("system"),
        database_url=database_url,
        amqp_url=amqp_url,
        safety_poll_seconds=_SAFETY_POLL_SECONDS,
    ) as system:
        yield system


class Company:
    """What its people do; each meeting is titled by what happens to it."""

    def __init__(self, system: System) -> None:
        """Begin without meetings."""
        self._system = system

    def enter(self, what: str, start: datetime = START) -> None:
        """Let Ann make a meeting twice, once on each side."""
        in_crm, in_google = _titles(what)
        task = new_task(ANN, in_crm, due_at=start.isoformat())
        self._system.crm_call("POST", "/tasks", task)
        self._system.google_call(ANN, "POST", body=new_event(in_google, start))

    def edit_tasks(self, what: str, **fields: object) -> None:
        """Edit the tasks of both meetings."""
        for title in _titles(what):
            task = self._system.task(title)
            self._system.crm_call("PATCH", f"/tasks/{task['id']}", fields)

    def edit_events(self, what: str, **fields: object) -> None:
        """Edit the events of both meetings."""
        for title in _titles(what):
            event = self._system.event(ANN, title)
            self._system.google_call(ANN, "PATCH", f"/{event['id']}", fields)

    def delete_tasks(self, what: str) -> None:
        """Delete the tasks of both meetings."""
        for title in _titles(what):
            task = self._system.task(title)
            self._system.crm_call("DELETE", f"/tasks/{task['id']}")

    def places(self, what: str, person: Person = ANN) -> set[str | None]:
        """Return where both meetings are, on both sides."""
        titles = _titles(what)
        tasks = [self._system.task(title) for title in titles]
        events = [self._system.event(person, title) for title in titles]
        return {row.get("location") for row in [*tasks, *events]}

    # -- a day ----------------------------------------------------------------------

    def begin_the_day(self) -> None:
        """Make what is going to be edited later."""
        for what in ("edited here", "edited there", "deleted", "cancelled", *_LATE):
            self.enter(what)
        self.enter("handed over")
        self.enter("handed over, long past", START - timedelta(days=100))
        self._rest()

    def spend_the_day(self) -> None:
        """Edit, delete and add, on both sides."""
        self.edit_tasks("edited here", location="Room 1")
        self.edit_events("edited there", location="Room 2")
        self.delete_tasks("deleted")
        self.edit_events("cancelled", status="cancelled")
        self.edit_tasks("handed over", owner_id=BEN.id)
        self.edit_tasks("handed over, long past", owner_id=BEN.id)
        self.enter("new")
        self._rest()
        self.edit_tasks("edited there", location="Room 3")
        self.edit_events("edited here", location="Room 4")
        self.edit_tasks("new", location="Room 5")
        self._rest()

    def work_late(self, place: str) -> None:
        """Make edits that nobody carries over any more."""
        self.edit_tasks("edited late here", location=place)
        self.edit_events("edited late there", location=place)

    def _rest(self) -> None:
        assert_nothing_travels(self._system, _STILL_SECONDS)


_LATE = ("edited late here", "edited late there")


def _titles(what: str) -> list[str]:
    return [f"{what}, from {side}" for side in ("the CRM", "Google")]


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that the database is kept in."""
    return tmp_path_factory.mktemp("backup") / "calendar-sync.dump"


@pytest.fixture(scope="module")
def company(system: System, database_url: str, backup: Path) -> Company:
    """Return a company that has spent a day since the backup was made."""
    company = Company(system)
    company.begin_the_day()
    postgresql.dump(database_url, backup)
    company.spend_the_day()
    return company


def settled(system: System) -> dict[str, Any]:
    """Return both sides, versions included, but for what is edited late."""
    tasks = {f"task {row['id']}": row for row in system.tasks()}
    events = {
        f"event {person.id} {row['id']}": row
        for person in PEOPLE
        for row in system.events(person)
    }
    return {
        key: row
        for key, row in (tasks | events).items()
        if "late" not in row.get("title", row.get("summary", ""))
    }


def stop(system: System) -> None:
    for name in ("serve", "work", "periodic"):
        assert system.stop(name) == 0


def start(system: System) -> None:
    for name in ("serve", "work", "periodic"):
        system.start(name)
    eventually(system.assert_ready)


def assert_something_waits(system: System) -> None:
    assert any(system.api("GET", "/health")["queues"].values())


def assert_all_is_well(
    system: System, company: Company, place: str, before: object
) -> None:
    """Assert that what was edited late is carried over, and all else is as it was."""

    def is_carried_over() -> None:
        for what in _LATE:
            assert company.places(what) == {place}

    eventually(is_carried_over)
    assert_nothing_travels(system, _STILL_SECONDS)
    assert settled(system) == before
    assert not system.api("GET", "/dead-letters")["items"]


def test_the_database_of_yesterday_meets_the_messages_of_today(
    system: System, company: Company, database_url: str, backup: Path
) -> None:
    before = settled(system)
    system.stop("work")
    company.work_late("Queued")
    eventually(lambda: assert_something_waits(system))
    for name in ("serve", "periodic"):
        system.stop(name)

    postgresql.restore(database_url, backup)
    system.command("migrate")
    system.command("links", "rebuild", "--org", ORGANIZATION)
    start(system)

    assert_all_is_well(system, company, "Queued", before)


def test_queues_and_sync_tokens_may_be_lost_as_well(
    system: System,
    company: Company,
    database_url: str,
    amqp_url: str,
    backup: Path,
) -> None:
    before = settled(system)
    stop(system)
    company.work_late("Unheard")

    vhosts.empty(amqp_url)
    system.google.order("expire-sync-tokens")
    postgresql.restore(database_url, backup)
    system.command("migrate")
    system.command("links", "rebuild", "--org", ORGANIZATION)
    start(system)

    assert_all_is_well(system, company, "Unheard", before)


def test_without_a_backup_everybody_connects_again(
    system: System, company: Company, database_url: str
) -> None:
    before = settled(system)
    stop(system)
    company.work_late("Forgotten")

    postgresql.lose(database_url)
    system.command("migrate")
    system.create_organization()
    start(system)
    system.api("PUT", "/google-app", CLIENT)
    for person in PEOPLE:
        system.consent(person)

    assert_all_is_well(system, company, "Forgotten", before)
    # First syncs do not reach as far back as the links do.
    system.command("links", "rebuild", "--org", ORGANIZATION)
    company.edit_tasks("handed over, long past", location="Archive")
    eventually(lambda: assert_is_at(company, "handed over, long past", BEN, "Archive"))


def assert_is_at(company: Company, what: str, person: Person, place: str) -> None:
    assert company.places(what, person) == {place}
