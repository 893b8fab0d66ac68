"""The environment: what it may say, and how everything wrong with it is told."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import make_url

from deploy.cli import foundation, worker_parts
from shared.adapters.broker_rabbitmq import connecting
from shared.config import Config
from tests.unit.cli.console import Console, lines


def problems(console: Console, **environment: str) -> list[tuple[str, str]]:
    """Return the variables that a command complains about, and how."""
    result = console.run("org", "list", **environment)
    assert result.exit_code == 2, result.output
    told = (line.split(": ", 2) for line in lines(result.stderr))
    return [(variable, text) for _, variable, text in told]


@pytest.mark.parametrize(
    "url",
    [
        "sync.example.com",
        "ftp://sync.example.com",
        "http://localhost:99999",
        "http://localhost:port",
        "https://[::1",
        "http://sync.example.com",
        "https://ann:hush@sync.example.com",
        "https://sync.example.com/?from=google",
        "https://sync.example.com/#me",
    ],
)
def test_an_address_that_cannot_be_reached_or_added_to_is_refused(
    console: Console, url: str
) -> None:
    ((variable, text),) = problems(console, PUBLIC_URL=url)

    assert variable == "PUBLIC_URL"
    assert text.startswith("must ")
    assert "hush" not in text


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://localhost:port/sync"]
)
def test_a_database_that_processes_cannot_share_is_refused(
    console: Console, url: str
) -> None:
    ((variable, text),) = problems(console, DATABASE_URL=url)

    assert variable == "DATABASE_URL"
    assert text.startswith("must ")


@pytest.mark.parametrize(
    "url",
    [
        "http://a/v",
        "amqp://a:port/v",
        "amqp://u:hush@a:5672,b:5672/v",
        "amqp://u:hush@a,b/v",
        "amqp://u:hush@a/v,http://b/v",
        "amqp://u:hush@a/v,amqp://b:port/v",
    ],
)
def test_a_broker_that_cannot_be_reached_is_refused(console: Console, url: str) -> None:
    ((variable, text),) = problems(console, AMQP_URL=url)

    assert variable == "AMQP_URL"
    assert text.startswith("must ")
    assert "hush" not in text


def test_a_cluster_has_an_address_for_each_node() -> None:
    nodes = ["amqp://u:a,b%2Cc@one/v", "amqps://u:p@two:5671/v?heartbeat=5"]

    found = connecting.parameters(", ".join(nodes), "tests")

    found.sort(key=lambda node: node.host)
    assert [node.host for node in found] == ["one", "two"]
    assert [node.credentials.password for node in found] == ["a,b,c", "p"]
    assert [node.heartbeat for node in found] == [30, 5]


@pytest.mark.parametrize(
    ("environment", "variables"),
    [
        (
            {"SECRET_KEYS": "short", "PUBLIC_URL": "nowhere"},
            ["PUBLIC_URL", "SECRET_KEYS"],
        ),
        (
            {"AMQP_URL": "amqp://localhost", "SECRET_KEYS": "", "LOG_LEVEL": "loud"},
            ["SECRET_KEYS", "LOG_LEVEL"],
        ),
        (
            {"AMQP_URL": "amqp://host:port/", "SECRET_KEYS": "", "PUBLIC_URL": "x"},
            ["AMQP_URL", "PUBLIC_URL", "SECRET_KEYS"],
        ),
    ],
)
def test_bad_or_missing_keys_are_told_together_with_everything_else(
    console: Console, environment: dict[str, str], variables: list[str]
) -> None:
    assert [name for name, _ in problems(console, **environment)] == variables


def test_a_complaint_about_keys_does_not_show_them(console: Console) -> None:
    ((_, text),) = problems(console, SECRET_KEYS="hush-key")  # noqa: S106 - made up

    assert "hush" not in text


def test_a_file_of_variables_that_cannot_be_read_is_named(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(console.folder)
    (console.folder / ".env").write_bytes(b"PUBLIC_URL=\xff")

    result = console.run("org", "list")

    assert (result.exit_code, len(lines(result.stderr))) == (2, 1)
    assert result.stderr.startswith("Error: .env: cannot be read")


def test_levels_and_formats_of_the_log_may_be_written_in_capitals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    monkeypatch.setenv("LOG_FORMAT", "JSON")

    config = Config.from_environment()

    assert (config.log_level, config.log_format) == ("warning", "json")


def test_libraries_do_not_narrate_their_requests(console: Console) -> None:
    console.done("org", "list")

    for name in ("google_auth_httplib2", "googleapiclient", "urllib3", "alembic"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_the_safety_poll_takes_numbers_that_are_longer_than_time(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in console.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SAFETY_POLL_SECONDS", str(10**20))

    with foundation.opened() as base:
        seconds = worker_parts.services(base).safety_poll_seconds

    assert datetime.now(UTC) - timedelta(seconds=seconds) < datetime.now(UTC)


def test_a_plain_address_of_postgresql_means_psycopg2(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://sync:p%40ss@db/sync")
    monkeypatch.setenv("SECRET_KEYS", "A" * 43 + "=")

    url = make_url(Config.from_environment().database_url)

    assert (url.drivername, url.password) == ("postgresql+psycopg2", "p@ss")
