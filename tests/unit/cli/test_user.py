"""What is stored about somebody: copied into a file, and deleted."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import agreement
from shared.adapters.store import tables
from shared.domain import errors, identifiers, messages
from shared.domain.messages import Message, Queue, Trigger
from tests import store_rows
from tests.store_contract_retention import add_conflict, add_line
from tests.unit.cli.office import ADDRESS, EVENT, EVENT_ID, TASK, Office
from workers.forgetting import Forgetting

ANN = ("--org=acme", "--user=u1")


@pytest.fixture
def stored(office: Office) -> Office:
    """Return an office that has a meeting of Ann's, with all that comes of one."""
    with office.console.begin() as work:
        acme = work.organizations.by_id(office.connection.organization_id)
        link = store_rows.add_link(
            work,
            acme,
            task_id=TASK,
            calendar_id=office.calendar.id,
            event_id=EVENT_ID,
            task={"id": TASK, "owner_id": "u1", "title": "Käse"},
        )
        work.copies.add(
            tables.Copy(
                calendar_id=office.calendar.id,
                event_id=EVENT_ID,
                link_id=link.id,
                etag='"1"',
                document=EVENT,
            )
        )
        add_line(
            work,
            acme,
            at=store_rows.NOW,
            connection_id=office.connection.id,
            link_id=link.id,
        )
        add_conflict(work, acme, link=link)
        work.dead_letters.file(_letter(office))
        work.commit()
    return office


def _letter(office: Office) -> tables.DeadLetter:
    message = Message(
        id=identifiers.delivery_id("dead"),
        queue=Queue.RECORDS,
        subject=messages.CalendarDue(calendar_id=office.calendar.id),
        trigger=Trigger.WEBHOOK,
        queued_at=store_rows.NOW,
    )
    failed = messages.failed(message, "mapping", "no start", at=store_rows.NOW)
    return tables.DeadLetter(
        organization_id=office.connection.organization_id,
        delivery_id=message.id,
        queue=message.queue,
        reason="mapping",
        error="no start",
        attempts=1,
        message=messages.encode(failed).decode(),
        created_at=store_rows.NOW,
    )


def _export(office: Office, *, to: str = "-") -> Any:  # noqa: ANN401 - JSON
    result = office.run("user", "export", *ANN, f"--output={to}")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout if to == "-" else Path(to).read_text("utf-8"))


# -- export -----------------------------------------------------------------------


def test_a_copy_has_a_section_for_everything(stored: Office) -> None:
    copy = _export(stored)

    assert (copy["organization"], copy["crm_user_id"]) == ("acme", "u1")
    assert copy["user"]["email"] == "ann@acme.example"
    assert copy["connection"]["google_address"] == ADDRESS
    assert copy["links"][0]["task"]["title"] == "Käse"
    assert copy["copies"][0]["document"]["summary"] == "Plan"
    assert [row["reason"] for row in copy["history"]] == ["event_edited"]
    assert [row["state"] for row in copy["jobs"]] == ["succeeded"]
    assert [row["state"] for row in copy["conflicts"]] == ["open"]
    assert [row["error"] for row in copy["dead_letters"]] == ["no start"]


def test_no_token_and_no_secret_is_in_a_copy(stored: Office) -> None:
    text = json.dumps(_export(stored))

    for secret in ("refresh", 'access_token"', "hush", "key-of-the-crm", "whsec"):
        assert secret not in text


def test_only_its_owner_can_read_the_file(stored: Office, tmp_path: Path) -> None:
    file = tmp_path / "ann.json"

    copy = _export(stored, to=str(file))

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert copy == _export(stored)


def test_a_file_that_is_there_is_not_overwritten(
    stored: Office, tmp_path: Path
) -> None:
    file = tmp_path / "ann.json"
    file.write_text("mine")

    result = stored.run("user", "export", *ANN, f"--output={file}")

    assert result.exit_code == 2
    assert f"--output: {file} cannot be written (File exists)" in result.stderr
    assert file.read_text() == "mine"


def test_a_copy_that_is_not_complete_is_none(
    stored: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ann.json"
    monkeypatch.setattr("deploy.cli.user_copy.letters_of", _be_away)

    result = stored.run("user", "export", *ANN, f"--output={file}")

    assert result.exit_code == 1
    assert not file.exists()


def _be_away(*_: object) -> None:
    raise errors.RemoteUnavailableError


def test_a_user_without_a_connection_has_a_copy_too(office: Office) -> None:
    result = office.run("user", "export", "--org=acme", "--user=u2", "--output=-")

    copy = json.loads(result.stdout)
    assert (copy["user"]["user_id"], copy["connection"]) == ("u2", None)
    assert {len(rows) for rows in copy.values() if isinstance(rows, list)} == {0}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--org=beta", "--user=u1"), "there is no organization beta"),
        (("--org=acme", "--user=u9"), "--user: the CRM of acme has no user u9"),
    ],
)
@pytest.mark.parametrize("words", [("export", "--output=-"), ("delete", "--yes")])
def test_whom_nobody_knows_is_a_wrong_option(
    office: Office, words: tuple[str, str], options: tuple[str, str], problem: str
) -> None:
    result = office.run("user", *words, *options)

    assert result.exit_code == 2
    assert problem in result.stderr


# -- delete -----------------------------------------------------------------------


def _is_known(office: Office) -> bool:
    with office.console.found() as work:
        return work.connections.get(office.connection.id) is not None


def test_a_user_is_deleted_and_can_be_deleted_again(stored: Office) -> None:
    stored.google.answer({})

    first = stored.run("user", "delete", *ANN, "--yes")
    second = stored.run("user", "delete", *ANN, "--yes")

    assert first.exit_code == second.exit_code == 0, first.output
    assert first.stdout == "Deleted what was stored about u1: 6 rows.\n"
    assert second.stdout == "Deleted what was stored about u1: 0 rows.\n"
    assert not _is_known(stored)
    assert stored.link() is None


def test_the_access_to_google_ends(stored: Office) -> None:
    stored.google.answer({})

    stored.run("user", "delete", *ANN, "--yes")

    assert [request.path for request in stored.google.received] == ["/revoke"]


def test_who_must_end_the_access_is_told(stored: Office) -> None:
    stored.google.answer({"error": "server_error"}, status=503)

    result = stored.run("user", "delete", *ANN, "--yes")

    assert result.exit_code == 0
    assert "u1 can, at https://myaccount.google.com/connections" in result.stderr
    assert not _is_known(stored)


def test_what_would_go_is_told_before_anything_does(
    stored: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "is_terminal", lambda: True)

    result = stored.run("user", "delete", *ANN, typed="n\n")

    assert result.exit_code == 1
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["WHAT", "ROWS"],
        ["history", "1"],
        ["jobs", "1"],
        ["conflicts", "1"],
        ["copies", "1"],
        ["links", "1"],
        ["dead", "letters", "1"],
        ["connection", "1"],
    ]
    assert "Delete what is stored about u1?" in result.stderr
    assert _is_known(stored)


def test_who_has_left_the_crm_can_be_deleted(stored: Office) -> None:
    stored.google.answer({})
    with stored.console.begin() as work:
        work.users.replace_all(stored.connection.organization_id, [])
        work.commit()

    result = stored.run("user", "delete", *ANN, "--yes")

    assert result.exit_code == 0, result.output
    assert not _is_known(stored)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (errors.RecordBusyError("a worker has it in hand"), "a worker has it in hand"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_who_is_interrupted_is_told_how_to_go_on(
    stored: Office,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    why: str,
) -> None:
    def break_off(*_: object) -> None:
        raise error

    monkeypatch.setattr(Forgetting, "user", break_off)

    result = stored.run("user", "delete", *ANN, "--yes")

    assert result.exit_code == 1
    assert f"{why}; not all is deleted yet: the same command goes on" in result.stderr


def test_without_a_broker_what_waits_there_is_left_out(
    stored: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_away(*_: object) -> None:
        raise errors.BrokerConnectionError

    monkeypatch.setattr("deploy.cli.filing.file_waiting", be_away)

    result = stored.run("user", "export", *ANN, "--output=-")

    assert result.exit_code == 0
    assert "Left out dead letters that are not filed" in result.stderr
