"""What the doctor finds, and when it is a problem."""

import http.server
import json
import shutil
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared.adapters import crypto
from shared.adapters.broker_local import table
from shared.adapters.store import tables
from tests import google_stub, store_rows, stub_server, tls
from tests.unit.cli.console import USERS, Console, lines

GOOGLE = ("--google-client-id=the-client", "--google-client-secret=hush")
USERS_ANSWER = {"items": USERS, "next_cursor": None}
CALENDARS_ANSWER: Mapping[str, object] = {"items": []}
NO_GRANT, NO_CLIENT = {"error": "invalid_grant"}, {"error": "invalid_client"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the doctor said, by subject."""

    exit_code: int
    found: Mapping[str, Mapping[str, str]]

    def level(self, subject: str) -> str:
        """Return how serious what it said of a subject is."""
        return self.found[subject]["level"]

    def problems(self) -> list[str]:
        """Return the subjects that have a problem."""
        return [s for s, each in self.found.items() if each["level"] == "problem"]


def examine(console: Console, **environment: str) -> Report:
    """Let the doctor look."""
    result = console.run("doctor", "--json", **environment)
    rows = json.loads(result.stdout)
    found = {row["subject"]: row for row in rows}
    assert len(found) == len(rows)
    return Report(exit_code=result.exit_code, found=found)


def at_google(google: stub_server.StubServer) -> dict[str, str]:
    """Return the variables that lead to a server in Google's place."""
    return {
        "GOOGLE_API_URL": google.url,
        "GOOGLE_TOKEN_URL": f"{google.url}/token",
        "GOOGLE_AUTH_URL": f"{google.url}/auth",
        "GOOGLE_REVOKE_URL": f"{google.url}/revoke",
    }


def connect(console: Console, user_id: str = "u1", **columns: Any) -> None:  # noqa: ANN401
    """Store a connection whose access token is good."""
    later = datetime.now(UTC) + timedelta(hours=1)
    values = {
        "refresh_token": "refresh",
        "access_token": "access",
        "access_token_expires_at": later,
    }
    with console.begin() as work:
        row = work.organizations.by_name("acme")
        assert row is not None
        store_rows.add_connection(work, row, user_id, **(values | columns))
        work.commit()


# -- our own parts ----------------------------------------------------------------


def test_an_installation_without_organizations_is_well(console: Console) -> None:
    report = examine(console)

    assert report.exit_code == 0
    assert report.problems() == []
    assert set(report.found) == {
        "configuration",
        "database",
        "broker",
        "receiver",
        "disk",
        "secrets",
        "dead letters",
    }


def test_the_report_is_readable_and_says_what_to_do(console: Console) -> None:
    report = console.run("doctor", AMQP_URL="amqp://localhost:1/")

    assert report.exit_code == 1
    told = lines(report.stdout)
    where = next(i for i, line in enumerate(told) if "broker:" in line)
    assert told[where].startswith("problem  broker: RabbitMQ cannot be used")
    assert told[where + 1].strip() == "-> start RabbitMQ, or correct AMQP_URL"


def test_a_broker_in_the_database_is_mended_there(console: Console) -> None:
    report = examine(console, DATABASE_URL="postgresql://sync@localhost:1/sync")

    assert report.exit_code == 1
    remedy = "start the database, or correct DATABASE_URL"
    assert report.found["broker"]["remedy"] == remedy


def test_no_password_is_shown(console: Console) -> None:
    url = "postgresql://sync:hush-database@localhost:1/sync"

    result = console.run("doctor", DATABASE_URL=url)

    assert result.exit_code == 1
    assert "hush-database" not in result.output
    assert "postgresql+psycopg2://sync:***@localhost:1/sync" in result.stdout


def test_a_schema_of_another_release_is_a_problem_in_production(
    console: Console,
) -> None:
    report = examine(
        console,
        DATABASE_URL=f"sqlite:///{console.folder}/new.db",
        AMQP_URL="amqp://localhost:1/",
    )

    assert report.exit_code == 1
    assert report.found["database"]["remedy"] == "run: calendar-sync migrate"


def test_many_waiting_messages_are_worth_a_note(console: Console) -> None:
    now = datetime.now(UTC)
    rows = [
        {"queue": "records", "body": b"{}", "available_at": now} for _ in range(1001)
    ]
    with console.store.engine.begin() as connection:
        connection.execute(table.rows.insert(), rows)

    report = examine(console)

    assert report.level("broker") == "note"
    assert "1001 in records" in report.found["broker"]["text"]
    assert report.exit_code == 0


def test_a_receiver_that_answers_is_seen(console: Console) -> None:
    report = examine(console, PUBLIC_URL=console.crm.url)

    assert report.level("receiver") == "ok"


def test_a_configuration_that_is_wrong_ends_it_like_any_command(
    console: Console,
) -> None:
    wrong = {"SECRET_KEYS": "short"}

    result = console.run("doctor", **wrong)

    assert result.exit_code == 2
    assert lines(result.stderr) == [
        "Error: SECRET_KEYS: key 1 is not 32 bytes in URL-safe base64"
    ]


def test_secrets_that_no_key_decrypts_are_a_wrong_configuration(
    console: Console,
) -> None:
    console.create()
    other = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItbzE="

    result = console.run("doctor", SECRET_KEYS=other)

    assert result.exit_code == 2
    assert lines(result.stderr)[-1].startswith("Error: SECRET_KEYS: no key decrypts")


def test_secrets_of_an_old_key_are_worth_a_note(console: Console) -> None:
    console.create()
    console.crm.answer(USERS_ANSWER)
    new = crypto.Keys.generate()

    report = examine(console, SECRET_KEYS=f"{new},{store_rows.KEY}")

    assert report.found["secrets"] == {
        "level": "note",
        "subject": "secrets",
        "text": "2 of 2 are encrypted with an old key",
        "remedy": "run: calendar-sync keys rotate",
    }


def test_secrets_that_cannot_be_read_are_told_before_it_ends(console: Console) -> None:
    console.create()
    lost = crypto.Keys.generate()

    result = console.run("doctor", SECRET_KEYS=lost)

    assert "problem  secrets: no key of SECRET_KEYS decrypts 2 stored" in result.stdout


def test_dead_letters_wait_for_an_operator(console: Console) -> None:
    with console.begin() as work:
        work.dead_letters.file(
            tables.DeadLetter(
                delivery_id="d1",
                queue="records",
                reason="mapping",
                error="no start",
                attempts=1,
                message="{}",
                created_at=store_rows.NOW,
            )
        )
        work.commit()

    report = examine(console)

    assert report.exit_code == 1
    assert report.problems() == ["dead letters"]
    assert "dead-letters list" in report.found["dead letters"]["remedy"]


@pytest.mark.parametrize(
    ("free_mib", "level"), [(5000, "ok"), (1000, "note"), (200, "problem")]
)
def test_a_disk_that_fills_up_is_told_in_time(
    console: Console, monkeypatch: pytest.MonkeyPatch, free_mib: int, level: str
) -> None:
    asked: list[Path] = []

    def usage(place: Path) -> Any:  # noqa: ANN401 - a private type of Python's
        asked.append(place)
        return SimpleNamespace(free=free_mib * 2**20)

    monkeypatch.setattr(shutil, "disk_usage", usage)

    report = examine(console)

    assert asked == [console.folder]
    assert report.level("disk") == level
    assert f"{free_mib:,} MiB are free" in report.found["disk"]["text"]


# -- certificates -----------------------------------------------------------------


@contextmanager
def serving(files: tls.Certificate) -> Iterator[int]:
    """Serve https on a port of this machine; yield the port."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("days", "level", "told"),
    [
        (30, "ok", "is valid until"),
        (13, "note", "is valid until"),
        (-0.5, "problem", "is not valid: certificate has expired"),
    ],
)
def test_a_certificate_is_looked_at_before_it_expires(
    console: Console, tmp_path: Path, days: float, level: str, told: str
) -> None:
    files = tls.issue(tmp_path, lifetime=timedelta(days=days))

    with serving(files) as port:
        report = examine(
            console,
            PUBLIC_URL=f"https://localhost:{port}",
            REQUESTS_CA_BUNDLE=str(files.authority),
        )

    found = report.found[f"certificate of localhost:{port}"]
    assert found["level"] == level
    assert found["text"].startswith(told)
    assert report.exit_code == (level == "problem")


def test_a_certificate_that_nobody_trusts_is_a_problem(
    console: Console, tmp_path: Path
) -> None:
    with serving(tls.issue(tmp_path)) as port:
        report = examine(
            console,
            PUBLIC_URL=f"https://localhost:{port}",
            REQUESTS_CA_BUNDLE="",
        )

    (subject,) = report.problems()
    assert subject == f"certificate of localhost:{port}"
    assert report.found[subject]["text"].startswith("is not valid: unable to get local")


def test_the_address_for_google_may_have_a_certificate_of_its_own(
    console: Console, tmp_path: Path
) -> None:
    files = tls.issue(tmp_path, lifetime=timedelta(days=30))

    with serving(files) as port:
        report = examine(
            console,
            GOOGLE_PUSH_ADDRESS=f"https://127.0.0.1:{port}/push",
            REQUESTS_CA_BUNDLE=str(files.authority),
        )

    assert report.level(f"certificate of 127.0.0.1:{port}") == "ok"


def test_an_address_that_speaks_no_tls_is_a_problem(console: Console) -> None:
    url = console.crm.url.replace("http://", "https://")

    report = examine(console, PUBLIC_URL=url)

    (subject,) = report.problems()
    assert "no TLS is spoken there" in report.found[subject]["text"]


def test_an_address_that_is_out_of_reach_is_worth_a_note(console: Console) -> None:
    report = examine(console, PUBLIC_URL="https://localhost:1")

    assert report.level("certificate of localhost:1") == "note"
    assert report.exit_code == 0


# -- organizations ----------------------------------------------------------------


def test_an_organization_that_is_not_connected_yet_is_well(console: Console) -> None:
    console.create()
    console.crm.answer(USERS_ANSWER)

    report = examine(console)

    assert report.exit_code == 0
    assert report.level("acme: crm") == "ok"
    assert "1 active users" in report.found["acme: crm"]["text"]
    assert report.level("acme: google app") == "note"


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "calendar-sync org update acme --crm-api-key KEY"),
        (404, "calendar-sync org update acme --crm-url URL/api/v1"),
        (503, "see that it runs at"),
    ],
)
def test_a_crm_that_does_not_let_us_in_is_a_problem(
    console: Console, status: int, remedy: str
) -> None:
    console.create()
    for _ in range(3):
        console.crm.answer(status=status)

    report = examine(console)

    assert report.exit_code == 1
    assert report.problems() == ["acme: crm"]
    assert remedy in report.found["acme: crm"]["remedy"]


def test_a_clock_that_is_off_is_a_problem(console: Console) -> None:
    console.create()
    ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=3), usegmt=True)
    console.crm.answer(USERS_ANSWER, date=ahead)

    report = examine(console)

    assert report.exit_code == 1
    assert report.problems() == ["acme: crm clock"]


@pytest.mark.parametrize(
    ("answer", "status", "level"),
    [
        (NO_GRANT, 400, "ok"),
        (NO_CLIENT, 401, "problem"),
        (None, 503, "problem"),
    ],
)
def test_google_tells_whether_it_knows_the_app(
    console: Console, answer: object, status: int, level: str
) -> None:
    console.create("acme", *GOOGLE)
    console.crm.answer(USERS_ANSWER)

    with stub_server.running() as google:
        google.answer(answer, status=status)
        report = examine(console, **at_google(google))

    assert report.level("acme: google app") == level
    assert report.exit_code == (level == "problem")
    assert google.received[0].form["client_secret"] == "hush"  # noqa: S105 - made up


def test_states_of_users_are_told_and_are_no_problem(console: Console) -> None:
    console.create()
    console.crm.answer(USERS_ANSWER)
    connect(console, "u1", state="needs_reauthorization")
    connect(console, "u2", state="disconnected")

    report = examine(console)

    assert report.exit_code == 0
    assert report.found["acme: connections"]["text"] == (
        "1 disconnected, 1 needs_reauthorization"
    )


@pytest.mark.parametrize(
    ("answer", "status", "level"),
    [
        (CALENDARS_ANSWER, 200, "ok"),
        (google_stub.envelope(403, "accessNotConfigured"), 403, "problem"),
        (google_stub.envelope(403, "insufficientPermissions"), 403, "note"),
    ],
)
def test_the_calendar_api_is_tried_with_one_account(
    console: Console, answer: object, status: int, level: str
) -> None:
    console.create("acme", *GOOGLE)
    console.crm.answer(USERS_ANSWER)
    connect(console)

    with stub_server.running() as google:
        google.answer(NO_GRANT, status=400)
        google.answer(answer, status=status)
        report = examine(console, **at_google(google))

    assert report.level("acme: calendar api") == level
    assert report.exit_code == (level == "problem")


def test_channels_that_have_expired_are_a_problem(console: Console) -> None:
    console.create()
    console.crm.answer(USERS_ANSWER)
    connect(console)
    add_channel(console, expires_at=datetime.now(UTC) - timedelta(minutes=1))

    report = examine(console)

    assert report.level("acme: channels") == "problem"
    assert report.exit_code == 1


def test_channels_that_are_live_are_counted(console: Console) -> None:
    console.create()
    console.crm.answer(USERS_ANSWER)
    connect(console)
    add_channel(console, expires_at=datetime.now(UTC) + timedelta(days=1))

    report = examine(console)

    assert report.level("acme: channels") == "ok"


def test_a_missing_channel_is_explained(console: Console) -> None:
    console.create()
    console.crm.answer(USERS_ANSWER)
    connect(console)

    report = examine(console)

    assert report.level("acme: channels") == "note"
    assert "cannot reach" in report.found["acme: channels"]["remedy"]


def add_channel(console: Console, *, expires_at: datetime) -> None:
    """Store an open channel on a calendar of the one connection."""
    with console.begin() as work:
        (connection,) = work.connections.all_active()
        calendar = store_rows.add_calendar(work, connection)
        work.channels.add(
            tables.Channel(
                id="c1",
                calendar_id=calendar.id,
                state="open",
                created_at=expires_at - timedelta(days=7),
                expires_at=expires_at,
            )
        )
        work.commit()
