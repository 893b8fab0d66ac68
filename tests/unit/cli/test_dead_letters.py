"""What failed for good, seen, replayed and discarded from the command line."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from deploy.cli import agreement
from shared.adapters.broker_local import table
from shared.adapters.store import repositories
from shared.domain import messages
from shared.domain.messages import Message, Queue, Trigger
from tests import clocks, store_rows
from tests.unit.cli.console import Console, lines
from webhook_receiver.dead_letters import AT_ONCE, DeadLetters
from workers.deaths import Deaths

NOW = store_rows.NOW
AWAY = "amqp://localhost:1/"


def dead(
    name: str, reason: str = "mapping", *, queue: Queue = Queue.RECORDS, owner: int = 1
) -> Message:
    """Return a message that failed for good, after two attempts."""
    message = Message(
        id=name,
        queue=queue,
        subject=messages.TaskDue(organization_id=owner, task_id=f"task-{name}"),
        trigger=Trigger.WEBHOOK,
        queued_at=NOW - timedelta(hours=1),
        attempt=2,
    )
    first = messages.failed(
        message, "rate_limit", "the CRM is busy", at=NOW - timedelta(minutes=10)
    )
    return messages.failed(first, reason, "task: no start", at=NOW)


def file(console: Console, *letters: Message) -> list[int]:
    """File dead letters as the workers do; return their ids."""
    deaths = Deaths(console.store, clocks.SettableClock(NOW))
    for letter in letters:
        deaths(letter)
    with console.found() as work:
        page = work.dead_letters.page(None, limit=1000)
    by_name = {row.delivery_id: row.id for row in page.rows}
    return [by_name[letter.id] for letter in letters]


def leave_in_queue(console: Console, letter: Message) -> None:
    """Leave a dead letter in its queue, as when no worker runs."""
    with console.store.engine.begin() as connection:
        table.add(connection, [(Queue.DEAD_LETTERS, letter)], NOW)


def queued(console: Console) -> list[Message]:
    """Return the messages in all queues, oldest first."""
    with console.store.engine.connect() as connection:
        bodies = connection.scalars(select(table.rows.c.body).order_by("id")).all()
    return [messages.decode(body) for body in bodies]


def filed(console: Console) -> list[int]:
    """Return the ids of the dead letters, oldest first."""
    with console.found() as work:
        page = work.dead_letters.page(None, limit=1000)
    return sorted(row.id for row in page.rows)


def run(console: Console, *arguments: str, **options: str) -> Any:  # noqa: ANN401 - click's
    """Type one of the commands."""
    return console.run("dead-letters", *arguments, **options)


@pytest.fixture
def acme(console: Console) -> int:
    """Return the id of an organization."""
    console.create()
    with console.found() as work:
        (row,) = work.organizations.all()
    return row.id


# -- seeing -----------------------------------------------------------------------


def test_without_dead_letters_there_is_nothing_to_list(console: Console) -> None:
    result = run(console, "list")

    assert (result.exit_code, result.stdout) == (0, "There are none.\n")


def test_dead_letters_are_listed_with_their_reason(console: Console, acme: int) -> None:
    (row_id,) = file(console, dead("d1", owner=acme))

    _, line = lines(run(console, "list").stdout)

    assert line.split() == [
        str(row_id),
        "2026-03-02T09:30:00.123456Z",
        "records",
        "mapping",
        "acme",
        "task-d1",
        *("task:", "no", "start"),
    ]


def test_a_list_can_be_read_by_programs(console: Console, acme: int) -> None:
    (row_id,) = file(console, dead("d1", owner=acme))

    assert console.read("dead-letters", "list") == [
        {
            "organization": "acme",
            "id": row_id,
            "queue": "records",
            "reason": "mapping",
            "error": "task: no start",
            "task_id": "task-d1",
            "event_id": None,
            "attempts": 2,
            "created_at": "2026-03-02T09:30:00.123456Z",
        }
    ]


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (["--reason=mapping"], [0, 1]),
        (["--queue=backfill"], [1, 2]),
        (["--reason=mapping", "--queue=backfill"], [1]),
        (["--org=acme"], [0]),
        (["--org=acme", "--queue=backfill"], []),
    ],
)
def test_what_is_listed_can_be_narrowed(
    console: Console, acme: int, options: Sequence[str], chosen: Sequence[int]
) -> None:
    console.create("other")
    with console.found() as work:
        other = work.organizations.by_name("other")
    assert other is not None
    ids = file(
        console,
        dead("d1", owner=acme),
        dead("d2", queue=Queue.BACKFILL, owner=other.id),
        dead("d3", "rejected", queue=Queue.BACKFILL, owner=other.id),
    )

    listed = console.read("dead-letters", "list", *options)

    assert sorted(row["id"] for row in listed) == [ids[i] for i in chosen]


def test_the_newest_are_listed_first_and_all_on_demand(console: Console) -> None:
    ids = file(console, *(dead(f"d{n}") for n in range(AT_ONCE + 1)))

    result = run(console, "list", "--json")
    everything = console.read("dead-letters", "list", "--all")

    newest_first = list(reversed(ids))
    assert [row["id"] for row in json.loads(result.stdout)] == newest_first[:100]
    assert result.stderr == "These are the newest of 101; --all lists all.\n"
    assert [row["id"] for row in everything] == newest_first


def test_what_waits_in_the_queue_is_filed_while_workers_are_down(
    console: Console,
) -> None:
    leave_in_queue(console, dead("d1"))
    leave_in_queue(console, dead("d2"))

    listed = console.read("dead-letters", "list")

    assert [row["task_id"] for row in listed] == ["task-d2", "task-d1"]
    assert queued(console) == []


def test_what_is_filed_is_listed_while_the_broker_is_away(console: Console) -> None:
    (row_id,) = file(console, dead("d1"))

    result = run(console, "list", "--json", AMQP_URL=AWAY)

    assert result.exit_code == 0
    assert [row["id"] for row in json.loads(result.stdout)] == [row_id]
    assert "Looked only at what is filed already: RabbitMQ cannot" in result.stderr


def test_a_dead_letter_is_shown_with_its_message_and_all_attempts(
    console: Console, acme: int
) -> None:
    letter = dead("d1", owner=acme)
    (row_id,) = file(console, letter)

    told = run(console, "show", f"--id={row_id}").stdout

    assert "organization  acme" in told
    assert "2026-03-02T09:20:00.123456Z  rate_limit: " in told
    assert "2026-03-02T09:30:00.123456Z  mapping: " in told
    assert "    the CRM is busy" in lines(told)
    beginning = told.index("\n{") + 1
    assert json.loads(told[beginning:]) == json.loads(messages.encode(letter))


def test_what_cannot_be_read_is_shown_as_it_was(console: Console) -> None:
    garbage = messages.unreadable(Queue.RECORDS, b"<x>", delivery_id="d1", at=NOW)
    file(console, garbage)

    (shown,) = console.read("dead-letters", "show", "--all")

    assert shown["message"]["subject"] == {"body": "<x>"}
    assert [failure["reason"] for failure in shown["failures"]] == ["message_decode"]


def test_a_message_that_is_newer_than_a_restored_database_is_filed_as_nobodys(
    console: Console, acme: int
) -> None:
    file(
        console,
        replace(dead("d1", owner=acme + 1), job_id=77),
        replace(dead("d2", owner=acme), job_id=77),
    )

    listed = console.read("dead-letters", "list")

    assert [row["organization"] for row in listed] == ["acme", None]


# -- replaying --------------------------------------------------------------------


def test_a_replayed_message_begins_anew_keeps_its_history_and_mails_nobody(
    console: Console,
) -> None:
    letter = dead("d1")
    (row_id,) = file(console, letter)

    result = run(console, "replay", f"--id={row_id}")

    assert (result.exit_code, result.stdout) == (0, "Replayed 1.\n")
    (message,) = queued(console)
    assert message == replace(letter, trigger=Trigger.RETRY, attempt=1)
    assert not message.is_live
    assert filed(console) == []


def test_what_fails_again_comes_back_with_its_history(console: Console) -> None:
    (row_id,) = file(console, dead("d1"))
    run(console, "replay", f"--id={row_id}")
    (message,) = queued(console)
    later = NOW + timedelta(hours=1)

    file(console, messages.failed(message, "crm_gone", "again", at=later))

    (shown,) = console.read("dead-letters", "show", "--all")
    reasons = [failure["reason"] for failure in shown["failures"]]
    assert reasons == ["rate_limit", "mapping", "crm_gone"]
    assert shown["reason"] == "crm_gone"


@pytest.mark.parametrize(
    ("options", "replayed"),
    [
        (["--reason=mapping"], ["d1"]),
        (["--queue=backfill"], ["d2"]),
        (["--all"], ["d1", "d2"]),
    ],
)
def test_a_selection_is_replayed_and_the_rest_stays(
    console: Console, options: Sequence[str], replayed: Sequence[str]
) -> None:
    letters = dead("d1"), dead("d2", "rejected", queue=Queue.BACKFILL)
    file(console, *letters)

    run(console, "replay", *options)

    assert sorted(message.id for message in queued(console)) == replayed
    assert len(filed(console)) == len(letters) - len(replayed)


def test_all_are_replayed_however_many(console: Console) -> None:
    file(console, *(dead(f"d{number}") for number in range(2 * AT_ONCE + 5)))

    result = run(console, "replay", "--all", "--json")

    assert json.loads(result.stdout) == {
        "replayed": 2 * AT_ONCE + 5,
        "unreadable": [],
        "missing": [],
    }
    assert len({message.id for message in queued(console)}) == 2 * AT_ONCE + 5
    assert filed(console) == []


def test_what_waits_in_the_queue_is_replayed_as_well(console: Console) -> None:
    leave_in_queue(console, dead("d1"))

    run(console, "replay", "--all")

    assert [message.trigger for message in queued(console)] == [Trigger.RETRY]


def test_what_cannot_be_read_stays_and_is_a_problem(console: Console) -> None:
    garbage = messages.unreadable(Queue.RECORDS, b"<x>", delivery_id="d2", at=NOW)
    _, unreadable = file(console, dead("d1"), garbage)

    result = run(console, "replay", "--all")

    assert (result.exit_code, result.stdout) == (1, "Replayed 1.\n")
    assert f"Cannot be read, and stay: {unreadable};" in result.stderr
    assert filed(console) == [unreadable]


def test_an_id_that_is_gone_is_named_and_keeps_no_other_back(console: Console) -> None:
    (row_id,) = file(console, dead("d1"))

    result = run(console, "replay", f"--id={row_id}", "--id=777")

    assert (result.exit_code, result.stdout) == (1, "Replayed 1.\n")
    assert result.stderr == "Not among the dead letters, or not any more: 777\n"


def test_another_organizations_dead_letter_is_not_replayed(
    console: Console, acme: int
) -> None:
    (foreign,) = file(console, dead("d1", owner=acme))
    console.create("other")

    result = run(console, "replay", "--org=other", f"--id={foreign}")

    assert result.exit_code == 1
    assert queued(console) == []
    assert filed(console) == [foreign]


def test_while_the_broker_is_away_nothing_is_lost(console: Console) -> None:
    ids = file(console, dead("d1"), dead("d2"))

    result = run(console, "replay", "--all", AMQP_URL=AWAY)

    assert result.exit_code == 1
    assert "0 are replayed, all others are dead letters still" in result.stderr
    assert filed(console) == ids


def test_an_interrupted_replay_says_how_far_it_came_and_goes_on(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(console, *(dead(f"d{number}") for number in range(2 * AT_ONCE)))
    replay_batch = DeadLetters.replay

    def replay_once(letters: DeadLetters, rows: Any) -> Sequence[int]:  # noqa: ANN401 - rows
        monkeypatch.setattr(DeadLetters, "replay", interrupt)
        return replay_batch(letters, rows)

    monkeypatch.setattr(DeadLetters, "replay", replay_once)
    interrupted = run(console, "replay", "--all")
    left = filed(console)
    monkeypatch.undo()
    finished = run(console, "replay", "--all")

    assert interrupted.exit_code == 1
    (line,) = lines(interrupted.stderr)
    assert line == (
        f"Error: interrupted; {AT_ONCE} are replayed, all others are dead letters still"
        ": the same command goes on with them"
    )
    assert len(left) == AT_ONCE
    assert finished.exit_code == 0
    assert len({message.id for message in queued(console)}) == 2 * AT_ONCE


def test_a_replay_that_ends_before_it_forgets_is_repeated_and_loses_nothing(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = file(console, dead("d1"), dead("d2"))
    rows = repositories.dead_letters.DeadLetters
    monkeypatch.setattr(rows, "forget", interrupt)

    interrupted = run(console, "replay", "--all")
    left = filed(console)
    monkeypatch.undo()
    run(console, "replay", "--all")

    assert interrupted.exit_code == 1
    assert left == ids
    # Twice in their queue is harmless: a message only says which record to look at.
    assert [message.id for message in queued(console)] == ["d2", "d1", "d2", "d1"]
    assert filed(console) == []


# -- discarding -------------------------------------------------------------------


def test_discarded_dead_letters_are_gone(console: Console) -> None:
    first, second = file(console, dead("d1"), dead("d2"))

    result = run(console, "discard", f"--id={first}", "--json")

    assert json.loads(result.stdout) == {"discarded": 1, "missing": []}
    assert filed(console) == [second]
    assert queued(console) == []


@pytest.mark.parametrize(
    ("typed", "options", "left"),
    [("n\n", [], 1), ("y\n", [], 0), ("", ["--yes"], 0)],
)
def test_at_a_terminal_somebody_has_to_agree(
    console: Console,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    options: Sequence[str],
    left: int,
) -> None:
    file(console, dead("d1"))
    monkeypatch.setattr(agreement, "is_terminal", lambda: True)

    result = run(console, "discard", "--all", *options, typed=typed)

    assert result.exit_code == left
    assert len(filed(console)) == left
    assert ("Discard 1 for good?" in result.stderr) == (not options)


# -- which ones -------------------------------------------------------------------


@pytest.mark.parametrize("command", ["show", "replay", "discard"])
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "say which ones: --id ID, --reason R, --queue Q, or --all"),
        (["--org=acme"], "say which ones: --id ID, --reason R, --queue Q, or --all"),
        (["--all", "--reason=mapping"], "--all goes with none of"),
        (["--id=1", "--all"], "--all goes with none of"),
        (["--id=1", "--queue=records"], "leave out --reason and --queue"),
        (["--id=0"], "0 is not in the range"),
        (["--queue=dead-letters"], "'dead-letters' is not one of"),
        (["--org=nobody", "--all"], "there is no organization nobody"),
    ],
)
def test_what_selects_nothing_clearly_is_refused(
    console: Console, command: str, options: Sequence[str], complaint: str
) -> None:
    ids = file(console, dead("d1"))

    result = run(console, command, *options)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert filed(console) == ids
    assert queued(console) == []


def interrupt(*_: object) -> None:
    """Do what Ctrl-C does."""
    raise KeyboardInterrupt
