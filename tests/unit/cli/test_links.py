"""Lost links restored, and orphans found and repaired, from the command line."""

import json

import pytest

from deploy.cli import agreement
from shared.domain import messages
from shared.domain.messages import Queue
from tests.unit.cli.console import USERS, Console, lines
from tests.unit.cli.office import ADDRESS, EVENT, EVENT_ID, TASK, Office, task
from workers.orphans import Kind

# -- rebuild ----------------------------------------------------------------------


def test_a_rebuild_tells_what_it_made_and_why(office: Office) -> None:
    office.has(EVENT, tasks=[task()])

    result = office.run("links", "rebuild", "--org=acme")

    assert result.exit_code == 0, result.output
    told = lines(result.stdout)
    assert told[0] == "0 links were there, 1 were made:"
    assert "       1  because the event names its task" in told
    link = office.link()
    assert link is not None
    assert link.event_id == EVENT_ID


def test_a_rebuild_can_be_read_by_programs(office: Office) -> None:
    office.has(EVENT, tasks=[task(title="Plan B")])

    result = office.run("links", "rebuild", "--org=acme", "--json")

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
        "renewed": [],
        "unread": [],
    }


def test_links_that_differ_are_announced(office: Office) -> None:
    office.has(EVENT, tasks=[task(title="Plan B")])

    result = office.run("links", "rebuild", "--org=acme")

    assert "Of 1 the two sides differ" in lines(result.stdout)[-1]


def test_a_calendar_that_cannot_be_read_is_a_problem(office: Office) -> None:
    office.console.crm.answer({"items": [task()], "next_cursor": None})
    office.google.answer(status=404)

    result = office.run("links", "rebuild", "--org=acme", "--json")

    assert result.exit_code == 1
    (unread,) = json.loads(result.stdout)["unread"]
    assert unread["crm_user_id"] == "u1"
    assert "The calendar of u1 could not be read" in result.stderr


def test_a_crm_that_cannot_be_read_is_a_problem(office: Office) -> None:
    office.console.crm.answer(status=401)

    result = office.run("links", "rebuild", "--org=acme")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert office.link() is None


def test_connections_that_are_left_out_are_counted(office: Office) -> None:
    with office.console.begin() as work:
        work.connections.by_id(office.connection.id).state = "needs_reauthorization"
        work.commit()
    office.console.crm.answer({"items": [task()], "next_cursor": None})

    result = office.run("links", "rebuild", "--org=acme")

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

    result = office.run("links", "orphans", "--org=acme", "--repair")

    assert result.exit_code == 0, result.output
    assert lines(result.stdout) == ["Nothing was found."]


def test_what_is_found_is_a_problem_until_it_is_repaired(office: Office) -> None:
    _orphaned(office)

    result = office.run("links", "orphans", "--org=acme")

    assert result.exit_code == 1
    heading, row = lines(result.stdout)
    columns = ["KIND", "TASK", "EVENT", "USER", "TITLE", "REPAIR", "STATE"]
    assert heading.split() == columns
    assert row.startswith(f"events-without-task  {TASK}  {EVENT_ID}")
    assert row.endswith("cancel the event  found")
    assert office.queued() == []


def test_findings_can_be_read_by_programs(office: Office) -> None:
    _orphaned(office)

    result = office.run("links", "orphans", "--org=acme", "--json")

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

    result = office.run("links", "orphans", "--org=acme", "--repair", "--json")

    assert result.exit_code == 0, result.output
    assert [row["state"] for row in json.loads(result.stdout)["orphans"]] == ["queued"]
    (message,) = office.queued()
    assert message.queue is Queue.BACKFILL
    assert message.subject == messages.TaskDue(
        organization_id=office.connection.organization_id, task_id=TASK
    )
    assert not message.is_live


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
    monkeypatch.setattr(agreement, "is_terminal", lambda: True)

    result = office.run(
        "links", "orphans", "--org=acme", "--repair", *options, typed=typed
    )

    assert result.exit_code == int(count == 0)
    assert len(office.queued()) == count
    assert ("Repair 1?" in result.stderr) == (not options)


def test_only_the_kinds_that_are_named_are_repaired(office: Office) -> None:
    _orphaned(office)

    result = office.run(
        "links", "orphans", "--org=acme", "--repair", "--kind=dead-links"
    )

    assert result.exit_code == 0
    assert lines(result.stdout) == ["Nothing was found."]
    assert office.queued() == []


def test_of_two_that_users_made_the_table_says_what_to_do(office: Office) -> None:
    other = {**EVENT, "id": "byhand0", "iCalUID": "byhand0", "extendedProperties": {}}
    office.has(EVENT, other, tasks=[task()])

    result = office.run("links", "orphans", "--org=acme", "--repair")

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
    assert office.run("links", "rebuild", "--org=acme").exit_code == 0
    office.has(imported, tasks=twins)
    office.console.crm.answer(twins[1])
    office.console.crm.answer(status=403)

    result = office.run("links", "orphans", "--org=acme", "--repair", "--json")

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
