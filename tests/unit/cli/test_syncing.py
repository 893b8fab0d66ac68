"""A sync looked at before it begins, started and watched, from the command line."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from deploy.cli.commands import sync
from shared.adapters.store import JobFilter, UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, Outcome
from shared.domain import messages
from shared.domain.access import Problem
from tests.unit.cli.console import lines
from tests.unit.cli.office import EVENT, Office, task

# -- preview ----------------------------------------------------------------------


def test_a_preview_tells_what_would_be_written(office: Office) -> None:
    start = datetime.now(UTC) + timedelta(days=1)
    times = {
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
    }
    event = {**EVENT, **times, "extendedProperties": {}}
    office.has_for_a_sync(event, tasks=[])

    result = office.run("preview", "--org=acme")

    assert result.exit_code == 0, result.output
    heading, row = lines(result.stdout)
    assert heading.split() == [
        *("USER", "GOOGLE", "ACCOUNT", "GOOGLE", "CRM", "LINKED", "GUESTS", "MAILED")
    ]
    assert row.split()[2:] == ["+0", "~0", "-0", "+1", "~0", "-0", "0", "0", "0"]
    # What the sync says of each record would read as if it had been written.
    assert result.stderr == ""
    assert office.link() is None


def test_a_preview_can_be_read_by_programs(office: Office) -> None:
    office.has_for_a_sync(tasks=[task(type="Call")])

    result = office.run("preview", "--org=acme", "--json")

    (shown,) = json.loads(result.stdout)["previews"]
    assert shown["crm_user_id"] == "u1"
    assert shown["counts"]["google"] == {"created": 0, "updated": 0, "cancelled": 0}
    assert shown["counts"]["left"] == [{"reason": "type_switched_off", "count": 1}]


def test_what_is_left_as_it_is_is_explained(office: Office) -> None:
    office.has_for_a_sync(tasks=[task(type="Call")])

    result = office.run("preview", "--org=acme", "--user=u1")

    assert "u1: 1 left as they are. " in lines(result.stdout)[-1]


def test_a_side_that_cannot_be_read_is_told(office: Office) -> None:
    office.google.answer({"error": {"message": "no"}}, status=404)

    result = office.run("preview", "--org=acme")

    assert result.exit_code == 1
    assert "not read" in result.stdout
    assert "u1: " in result.stderr


def test_without_a_connection_there_is_nothing_to_preview(office: Office) -> None:
    _change(office, state=ConnectionState.DISCONNECTED)

    result = office.run("preview", "--org=acme", "--user=u1")

    assert result.exit_code == 2
    assert "no active connection of u1 of acme" in result.stderr


# -- sync -------------------------------------------------------------------------


class Worker:
    """Goes on with the only job whenever the command waits."""

    def __init__(self, office: Office) -> None:
        """Take where the job is."""
        self.office = office
        self.outcomes = [Outcome.APPLIED, Outcome.APPLIED]
        self._steps = self._work()

    def __call__(self, _seconds: float) -> None:
        """Take the next step."""
        next(self._steps)

    def _work(self) -> Iterator[None]:
        with self.office.console.begin() as work:
            work.jobs.note_found(self._job(work).id, 2)
            work.commit()
        yield
        with self.office.console.begin() as work:
            work.jobs.expect(self._job(work).id, 2, now=datetime.now(UTC))
            work.commit()
        yield
        for number, outcome in enumerate(self.outcomes):
            with self.office.console.begin() as work:
                work.items.record(self._item(work, str(number), outcome))
                work.commit()
            yield

    def _job(self, work: UnitOfWork) -> tables.Job:
        organization_id = self.office.connection.organization_id
        (job,) = work.jobs.page(organization_id, JobFilter(), limit=2).rows
        return job

    def _item(self, work: UnitOfWork, id_: str, outcome: Outcome) -> tables.JobItem:
        return tables.JobItem(
            job_id=self._job(work).id,
            organization_id=self.office.connection.organization_id,
            connection_id=self.office.connection.id,
            delivery_id=id_,
            action="none",
            outcome=outcome,
            reason="unchanged",
            attempts=1,
            at=datetime.now(UTC),
        )


@pytest.fixture
def worker(office: Office, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Return what works while the command waits, and let it tell all it sees."""
    found = Worker(office)
    monkeypatch.setattr(time, "sleep", found)
    monkeypatch.setattr(sync, "_SAY_SECONDS", 0)
    return found


def test_a_sync_is_watched_to_its_end(worker: Worker) -> None:
    result = worker.office.run("sync", "--org=acme", "--user=u1")

    assert result.exit_code == 0, result.output
    told = lines(result.stderr)
    assert told[0] == "Listing both sides; workers must be running"
    assert told[1].startswith("0 of 2 so far, ")
    assert told[2].startswith("0 of 2, ")
    assert told[3].startswith("1 of 2, ")
    assert "left" in told[3]
    fields = dict(line.split(maxsplit=1) for line in lines(result.stdout))
    assert (fields["state"], fields["processed"]) == ("succeeded", "2")


def test_a_sync_with_failures_ends_with_one(worker: Worker) -> None:
    worker.outcomes = [Outcome.FAILED, Outcome.APPLIED]

    result = worker.office.run("sync", "--org=acme", "--user=u1", "--json")

    assert result.exit_code == 1
    assert "1 failed" in lines(result.stderr)[-1]
    assert json.loads(result.stdout)["state"] == "partial"


def test_a_sync_can_be_left_to_itself(office: Office) -> None:
    result = office.run("sync", "--org=acme", "--user=u1", "--no-wait", "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["state"] == "running"
    due = messages.ConnectionDue(connection_id=office.connection.id)
    assert [message.subject for message in office.queued()] == [due]


def test_a_sync_starts_what_waits_for_it(office: Office) -> None:
    _change(office, state=ConnectionState.PAUSED, problem=Problem.NOT_STARTED)

    result = office.run("sync", "--org=acme", "--user=u1", "--no-wait", "--json")

    assert json.loads(result.stdout)["trigger"] == "backfill"


def test_without_access_nothing_is_synced(office: Office) -> None:
    _change(office, state=ConnectionState.NEEDS_REAUTHORIZATION)

    result = office.run("sync", "--org=acme", "--user=u1")

    assert result.exit_code == 2
    assert "needs_reauthorization" in result.stderr


def test_whoever_has_not_connected_is_not_synced(office: Office) -> None:
    result = office.run("sync", "--org=acme", "--user=u2")

    assert result.exit_code == 2
    assert "u2" in result.stderr


def _change(office: Office, **columns: object) -> None:
    with office.console.begin() as work:
        row = work.connections.by_id(office.connection.id)
        for column, value in columns.items():
            setattr(row, column, value)
        work.commit()
