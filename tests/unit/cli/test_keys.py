"""The keys that encrypt secrets, replaced from the command line."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from shared.adapters import crypto
from shared.adapters.store import Store, sealed, tables
from shared.domain import signing
from tests import store_rows
from tests.unit.cli.console import API_KEY, Console, lines

OLD = store_rows.KEY
NEW = crypto.Keys.generate()
BOTH = {"SECRET_KEYS": f"{NEW},{OLD}"}
LONGEST = timedelta(hours=12)
"""How long a session may last."""


def rotate(console: Console, code: int = 0, **environment: str) -> Mapping[str, Any]:
    """Run the command; return what it told."""
    result = console.run("keys", "rotate", "--json", **(environment or BOTH))
    assert result.exit_code == code, result.output
    report: Mapping[str, Any] = json.loads(result.stdout)
    return report


def connect(console: Console, count: int = 1) -> None:
    """Store an organization, and some of its users' connections."""
    console.create()
    with console.begin() as work:
        (acme,) = work.organizations.all()
        for number in range(count):
            store_rows.add_connection(
                work,
                acme,
                f"u{number}",
                refresh_token=f"refresh-{number}",
                access_token="access",  # noqa: S106 - made up
            )
        work.commit()


def add_channel(console: Console, key: str, *, days: int = 3) -> str:
    """Store a watch channel whose token was signed by a key; return its id."""
    derived = crypto.Keys([key]).derive(signing.CHANNEL_TOKEN_PURPOSE)
    channel_id = signing.channel_id(derived, str(time.monotonic_ns()).encode())
    now = datetime.now(UTC)
    with console.begin() as work:
        (connection,) = work.connections.all_active()
        calendar = work.calendars.selected_of(connection.id)
        calendar = calendar or store_rows.add_calendar(work, connection)
        work.channels.add(
            tables.Channel(
                id=channel_id,
                calendar_id=calendar.id,
                state="open",
                created_at=now,
                renew_at=now + timedelta(days=days) / 2,
                expires_at=now + timedelta(days=days),
            )
        )
        work.commit()
    return channel_id


def pretend(console: Console, key: str, *, ago: timedelta) -> None:
    """Let all secrets of the organization have been encrypted some time ago."""
    then = int((datetime.now(UTC) - ago).timestamp())
    columns = {"crm_api_key": API_KEY, "crm_webhook_secrets": '["whsec_eA=="]'}
    with console.store.engine.begin() as connection:
        for column, secret in columns.items():
            token = Fernet(key).encrypt_at_time(secret.encode(), then).decode()
            statement = text(f"UPDATE organizations SET {column} = :token")  # noqa: S608 - our names
            connection.execute(statement, {"token": token})


def secrets_of(console: Console) -> str:
    """Return the secrets of the organization, whatever key they have."""
    keys = crypto.Keys([NEW, OLD])
    with console.store.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT crm_api_key, crm_webhook_secrets FROM organizations")
        ).all()
    return json.dumps([keys.decrypt(token) for row in rows for token in row])


def is_readable(console: Console, *keys: str) -> bool:
    """Tell whether these keys are enough for all that is stored."""
    store = Store(console.environment["DATABASE_URL"], keys=crypto.Keys(keys))
    survey = store.survey_secrets()
    store.close()
    return survey.unreadable == []


# -- what is stored ---------------------------------------------------------------


def test_stored_secrets_need_the_new_key_only_afterwards(console: Console) -> None:
    connect(console)

    report = rotate(console)

    assert (report["secrets"], report["reencrypted"]) == (4, 4)
    assert report["secrets_of_old_keys"] == 0
    assert is_readable(console, NEW)


def test_a_second_rotation_has_nothing_left_to_do(console: Console) -> None:
    connect(console)
    rotate(console)

    report = rotate(console)

    assert (report["secrets"], report["reencrypted"]) == (4, 0)


def test_many_secrets_are_rotated_in_batches(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed, "_AT_ONCE", 2)
    connect(console, count=5)

    report = rotate(console)

    assert report["reencrypted"] == 12
    assert is_readable(console, NEW)


def test_an_interrupted_rotation_is_finished_by_the_next(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(console, count=5)
    monkeypatch.setattr(sealed, "_AT_ONCE", 2)
    encrypt = crypto.Keys.encrypt
    done: list[str] = []

    def encrypt_some(keys: crypto.Keys, secret: str) -> str:
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append(secret)
        return encrypt(keys, secret)

    monkeypatch.setattr(crypto.Keys, "encrypt", encrypt_some)
    interrupted = console.run("keys", "rotate", **BOTH)
    is_mixed = not is_readable(console, NEW) and not is_readable(console, OLD)
    monkeypatch.undo()
    report = rotate(console)

    assert interrupted.exit_code == 1
    assert lines(interrupted.stderr) == [
        "Error: interrupted; the same command does the rest"
    ]
    assert is_mixed
    assert 0 < report["reencrypted"] < 12
    assert is_readable(console, NEW)


def test_a_secret_that_is_replaced_meanwhile_is_not_put_back(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.create()
    decrypt = crypto.Keys.decrypt

    def decrypt_late(keys: crypto.Keys, token: str) -> str:
        monkeypatch.undo()
        with console.begin() as work:
            (acme,) = work.organizations.all()
            acme.crm_api_key = "a-newer-key"
            work.commit()
        return decrypt(keys, token)

    monkeypatch.setattr(crypto.Keys, "decrypt", decrypt_late)
    first = rotate(console)

    assert '"a-newer-key"' in secrets_of(console)
    # A process that does not have the new key yet has written it.
    assert first["secrets_of_old_keys"] == 1
    assert not first["removable"]
    assert rotate(console)["reencrypted"] == 1


def test_what_no_key_decrypts_is_named_and_keeps_nothing_back(console: Console) -> None:
    connect(console)
    lost = Fernet(Fernet.generate_key()).encrypt(b"lost").decode()
    with console.store.engine.begin() as connection:
        statement = text("UPDATE connections SET refresh_token = :token")
        connection.execute(statement, {"token": lost})

    report = rotate(console, code=1)
    told = console.run("keys", "rotate", **BOTH)

    assert report["unreadable"] == [
        {"table": "connections", "column": "refresh_token", "row": "1"}
    ]
    assert report["reencrypted"] == 3
    assert told.exit_code == 1
    assert lines(told.stderr)[0] == "No key decrypts refresh_token of connections 1"
    assert "connecting again" in lines(told.stderr)[1]


# -- when the old key can go ------------------------------------------------------


def test_without_an_old_key_there_is_nothing_to_remove(console: Console) -> None:
    console.create()

    result = console.run("keys", "rotate")

    assert result.exit_code == 0
    assert lines(result.stdout) == [
        "0 of 2 secrets were encrypted anew.",
        "SECRET_KEYS has no old key.",
    ]


def test_the_old_key_stays_while_sessions_may_be_signed_by_it(
    console: Console,
) -> None:
    console.create()

    report = rotate(console)
    told = console.run("keys", "rotate", **BOTH).stdout

    assert not report["removable"]
    until = datetime.fromisoformat(report["sessions_until"])
    assert timedelta() < LONGEST - (until - datetime.now(UTC)) < timedelta(minutes=1)
    assert "may be signed by an old key until" in told
    assert lines(told)[-1].startswith("The old keys must stay in SECRET_KEYS for now")


def test_once_all_sessions_have_ended_the_old_key_can_go(console: Console) -> None:
    console.create()
    pretend(console, NEW, ago=LONGEST + timedelta(minutes=1))

    report = rotate(console)
    told = console.run("keys", "rotate", **BOTH).stdout

    assert (report["removable"], report["removable_at"]) == (True, None)
    assert lines(told)[-1] == (
        "All keys but the first can be removed from SECRET_KEYS now."
    )


def test_watch_channels_of_the_old_key_are_replaced_and_waited_for(
    console: Console,
) -> None:
    connect(console)
    pretend(console, NEW, ago=2 * LONGEST)
    channel_id = add_channel(console, OLD)

    report = rotate(console)

    now = datetime.now(UTC)
    with console.found() as work:
        channel = work.channels.by_id(channel_id)
        assert work.channels.expiring(now) == [channel]
    assert report["channels_of_old_keys"] == 1
    assert channel.expires_at is not None
    assert datetime.fromisoformat(report["removable_at"]) == (
        channel.expires_at.replace(microsecond=0)
    )
    assert not report["removable"]


def test_a_replacement_that_is_under_way_is_not_asked_for_again(
    console: Console,
) -> None:
    connect(console)
    channel_id = add_channel(console, OLD)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    with console.begin() as work:
        work.channels.by_id(channel_id).renew_at = soon
        work.commit()

    rotate(console)

    with console.found() as work:
        assert work.channels.by_id(channel_id).renew_at == soon


def test_channels_of_the_new_key_and_dead_ones_are_not_waited_for(
    console: Console,
) -> None:
    connect(console)
    pretend(console, NEW, ago=2 * LONGEST)
    add_channel(console, NEW)
    add_channel(console, OLD, days=-1)

    report = rotate(console)

    assert report["channels_of_old_keys"] == 0
    assert report["removable"]
