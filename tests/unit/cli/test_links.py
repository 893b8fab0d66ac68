"""Lost links restored, and orphans found and repaired, from the command line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from deploy.cli.commands import links
from shared.adapters.broker_local import table
from shared.adapters.store import tables
from shared.domain import identifiers, messages
from shared.domain.messages import Queue
from tests import store_rows, stub_server
from tests.unit.cli.console import USERS, Console, lines
from workers.orphans import Kind

ADDRESS = "ann@gmail.com"
TASK = "task-1"
EVENT_ID = identifiers.event_id("acme", TASK, ADDRESS, 0)
TIMES = {
    "start": {"dateTime": "2026-03-03T10:00:00Z", "timeZone": "UTC"},
    "end": {"dateTime": "2026-03-03T11:00:00Z", "timeZone": "UTC"},
}
EVENT = {
    "id": EVENT_ID,
    "etag": '"1"',
    "status": "confirmed",
    "summary": "Plan",
    "iCalUID": f"{EVENT_ID}@google.com",
    "organizer": {"email": ADDRESS, "self": True},
    "updated": "2026-03-02T10:00:00Z",
    "extendedProperties": {
        "private": {"crmTaskId": TASK, "crmOrganization": "acme"},
    },
    **TIMES,
}


def task(**fields: object) -> Mapping[str, object]:
    """Return the task of the event."""
    return {
        "id": TASK,
        "type": "Meeting",
        "title": "Plan",
        "status": "open",
        "owner_id": "u1",
        "due_at": "2026-03-03T10:00:00Z",
        "time_zone": "UTC",
        "version": 1,
        "deleted": False,
        "created_at": "2026-03-02T10:00:00Z",
        "updated_at": "2026-03-02T10:00:00Z",
        **fields,
    }


class Office:
    """A console at which Ann is connected, with a server in Google's place."""

    def __init__(self, console: Console, google: stub_server.StubServer) -> None:
        """Store the organization, its user, her connection and her calendar."""
        self.console = console
        self.google = google
        console.create("acme", "--google-client-id=id", "--google-client-secret=hush")
        now = datetime.now(UTC)
        with console.begin() as work:
            acme = work.organizations.by_name("acme")
            assert acme is not None
            acme.users_read_at = now
            self.connection = store_rows.add_connection(
                work,
                acme,
                google_sub="1001",
                google_address=ADDRESS,
                refresh_token="refresh",  # noqa: S106 - made up
                access_token="access",  # noqa: S106 - made up
                access_token_expires_at=now + timedelta(hours=1),
            )
            self.calendar = store_rows.add_calendar(work, self.connection, ADDRESS)
            work.commit()

    def has(self, *events: object, tasks: Sequence[object]) -> None:
        """Order what the lists of both sides show."""
        self.console.crm.answer({"items": tasks, "next_cursor": None})
        self.google.answer(
            {
                "items": events,
                "timeZone": "UTC",
                "accessRole": "owner",
                "nextSyncToken": "next",
            }
        )

    def run(self, *arguments: str, typed: str = "") -> Any:  # noqa: ANN401 - click's
        """Type a command of the group, and then an answer."""
        return self.console.run(
            "links",
            *arguments,
            typed=typed,
            GOOGLE_API_URL=self.google.url,
            GOOGLE_TOKEN_URL=f"{self.google.url}/token",
            GOOGLE_AUTH_URL=f"{self.google.url}/auth",
            GOOGLE_REVOKE_URL=f"{self.google.url}/revoke",
        )

    def link(self) -> tables.Link | None:
        """Return the link of the task."""
        with self.console.found() as work:
            return work.links.of_task(self.connection.organization_id, TASK)


@pytest.fixture
def office(console: Console) -> Iterator[Office]:
    """Return a console at which Ann is connected."""
    with stub_server.running() as google:
        yield Office(console, google)


# -- rebuild ----------------------------------------------------------------------


def test_a_rebuild_tells_what_it_made_and_why(office: Office) -> None:
    office.has(EVENT, tasks=[task()])

    result = office.run("rebuild", "--org=acme")

    assert result.exit_code == 0, result.output
    told = lines(result.stdout)
    assert told[0] == "0 links were there, 1 were made:"
    assert "       1  because the event names its task" in told
    link = office.link()
    assert link is not None
    assert link.event_id == EVENT_ID


def test_a_rebuild_can_be_read_by_programs(office: Office) -> None:
    office.has(EVENT, tasks=[task(title="Plan B")])

    result = office.run("rebuild", "--org=acme", "--json")

    made = {
        "task_id": TASK,
        "event_id": EVENT_ID,
        "found_by": "event",
        "equal": False,
    }
    assert json.loads(result.stdout) == {
        "organization": "acme",
        "kept": 0,
        "made": [made],
        "unread": [],
    }


def test_links_that_differ_are_announced(office: Office) -> None:
    office.has(EVENT, tasks=[task(title="Plan B")])

    result = office.run("rebuild", "--org=acme")

    assert "Of 1 the two sides differ" in lines(result.stdout)[-1]


def test_a_calendar_that_cannot_be_read_is_a_problem(office: Office) -> None:
    office.console.crm.answer({"items": [task()], "next_cursor": None})
    office.google.answer(status=404)

    result = office.run("rebuild", "--org=acme", "--json")

    assert result.exit_code == 1
    (unread,) = json.loads(result.stdout)["unread"]
    assert unread["crm_user_id"] == "u1"
    assert "The calendar of u1 could not be read" in result.stderr


def test_a_crm_that_cannot_be_read_is_a_problem(office: Office) -> None:
    office.console.crm.answer(status=401)

    result = office.run("rebuild", "--org=acme")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert office.link() is None


def test_connections_that_are_left_out_are_counted(office: Office) -> None:
    with office.console.begin() as work:
        work.connections.by_id(office.connection.id).state = "needs_reauthorization"
        work.commit()
    office.console.crm.answer({"items": [task()], "next_cursor": None})

    result = office.run("rebuild", "--org=acme")

    assert result.exit_code == 0
    assert "not active, and left out: 1" in result.stderr


# -- orphans ----------------------------------------------------------------------


def _orphaned(office: Office) -> None:
    """Let the task of the event be deleted."""
    deleted = task(deleted=True)
    office.has(EVENT, tasks=[deleted])
    office.console.crm.answer(deleted)


def test_where_all_is_well_there_is_nothing_to_do(office: Office) -> None:
    office.has(EVENT, tasks=[task()])

    result = office.run("orphans", "--org=acme", "--repair")

    assert result.exit_code == 0, result.output
    assert lines(result.stdout) == ["Nothing was found."]


def test_what_is_found_is_a_problem_until_it_is_repaired(office: Office) -> None:
    _orphaned(office)

    result = office.run("orphans", "--org=acme")

    assert result.exit_code == 1
    heading, row = lines(result.stdout)
    columns = ["KIND", "TASK", "EVENT", "USER", "TITLE", "REPAIR", "STATE"]
    assert heading.split() == columns
    assert row.startswith(f"events-without-task  {TASK}  {EVENT_ID}")
    assert row.endswith("cancel the event  found")
    assert _queued(office) == []


def test_findings_can_be_read_by_programs(office: Office) -> None:
    _orphaned(office)

    result = office.run("orphans", "--org=acme", "--json")

    assert json.loads(result.stdout) == {
        "orphans": [
            {
                "kind": "events-without-task",
                "task_id": TASK,
                "event_id": EVENT_ID,
                "title": "Plan",
                "crm_user_id": "u1",
                "calendar_id": ADDRESS,
                "like": None,
                "repair": "cancel the event",
                "state": "found",
                "error": None,
            }
        ],
        "unread": [],
    }


def test_a_repair_is_queued_for_the_workers(office: Office) -> None:
    _orphaned(office)

    result = office.run("orphans", "--org=acme", "--repair", "--json")

    assert result.exit_code == 0, result.output
    assert [row["state"] for row in json.loads(result.stdout)["orphans"]] == ["queued"]
    (message,) = _queued(office)
    assert message.queue is Queue.BACKFILL
    assert message.subject == messages.TaskDue(
        organization_id=office.connection.organization_id, task_id=TASK
    )
    assert not message.is_live


def _queued(office: Office) -> list[messages.Message]:
    with office.console.store.engine.connect() as connection:
        rows = connection.execute(select(table.rows.c.body)).all()
    return [messages.decode(row.body) for row in rows]


@pytest.mark.parametrize(
    ("typed", "options", "count"),
    [("n\n", [], 0), ("y\n", [], 1), ("", ["--yes"], 1)],
)
def test_at_a_terminal_somebody_has_to_agree(
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    options: list[str],
    count: int,
) -> None:
    _orphaned(office)
    monkeypatch.setattr(links, "is_terminal", lambda: True)

    result = office.run("orphans", "--org=acme", "--repair", *options, typed=typed)

    assert result.exit_code == int(count == 0)
    assert len(_queued(office)) == count
    assert ("Repair 1?" in result.stderr) == (not options)


def test_only_the_kinds_that_are_named_are_repaired(office: Office) -> None:
    _orphaned(office)

    result = office.run("orphans", "--org=acme", "--repair", "--kind=dead-links")

    assert result.exit_code == 0
    assert lines(result.stdout) == ["Nothing was found."]
    assert _queued(office) == []


def test_of_two_that_users_made_the_table_says_what_to_do(office: Office) -> None:
    other = {**EVENT, "id": "byhand0", "iCalUID": "byhand0", "extendedProperties": {}}
    office.has(EVENT, other, tasks=[task()])

    result = office.run("orphans", "--org=acme", "--repair")

    assert result.exit_code == 1
    assert f"delete it, or {EVENT_ID}, by hand" in result.stdout


def test_a_repair_that_fails_is_told_and_is_a_problem(
    office: Office,
) -> None:
    twins = [
        task(google_event_id="lunch0"),
        task(id="task-2", updated_at="2026-03-02T11:00:00Z"),
    ]
    imported = {**EVENT, "id": "lunch0", "extendedProperties": {}}
    office.has(imported, tasks=twins)
    assert office.run("rebuild", "--org=acme").exit_code == 0
    office.has(imported, tasks=twins)
    office.console.crm.answer(twins[1])
    office.console.crm.answer(status=403)

    result = office.run("orphans", "--org=acme", "--repair", "--json")

    assert result.exit_code == 1
    (row,) = json.loads(result.stdout)["orphans"]
    assert (row["kind"], row["task_id"]) == ("duplicate-tasks", "task-2")
    assert row["state"] == "failed"
    assert row["error"]


# -- usage ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rebuild", "orphans"])
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--org=nobody"], "there is no organization nobody"),
        ([], "Missing option '--org'"),
        (["--org=acme", "--dance"], "No such option"),
    ],
)
def test_wrong_usage_does_nothing(
    console: Console, name: str, options: list[str], complaint: str
) -> None:
    console.create(users=USERS)

    result = console.run("links", name, *options)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert complaint in result.stderr


def test_a_kind_that_there_is_not_is_wrong_usage(console: Console) -> None:
    result = console.run("links", "orphans", "--org=acme", "--kind=ghosts")

    assert result.exit_code == 2
    assert "ghosts" in result.stderr


def test_the_help_names_every_kind(console: Console) -> None:
    told = console.done("links", "orphans", "--help").stdout

    assert all(kind in told for kind in Kind)
