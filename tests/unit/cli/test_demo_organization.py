"""The organization of the demo in its database."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from deploy.cli import foundation
from deploy.cli.demo import home, organization
from deploy.cli.demo.addresses import Addresses
from deploy.cli.foundation import Foundation
from shared.adapters.broker_local import table
from shared.adapters.store import tables
from shared.domain import errors, messages, signing
from shared.domain.messages import Message, Queue, Trigger
from tests import store_rows
from tests.unit.cli.console import USERS, Console

PLANTED = [
    {"crm_user_id": "u1", "email": "a@b.example", "google_account": "c@d.example"}
]


@pytest.fixture
def base(console: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[Foundation]:
    """Return what commands stand on, on the console's database."""
    for name, value in console.environment.items():
        monkeypatch.setenv(name, value)
    with foundation.opened() as base:
        yield base


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[home.Home]:
    """Return the directory of a demo that is planted."""
    with home.opened(tmp_path / "demo", fresh=False) as opened:
        opened.keep(users=PLANTED)
        yield opened


@pytest.fixture
def where(console: Console) -> Addresses:
    """Return the addresses of a demo whose CRM has two users."""
    console.crm.answer({"items": USERS, "next_cursor": None})
    port = urlsplit(console.crm.url).port or 0
    return Addresses(receiver_port=9080, google_port=9081, crm_port=port)


def test_a_database_of_others_is_refused_and_left_alone(
    base: Foundation, console: Console
) -> None:
    console.create("acme")

    with pytest.raises(errors.ConfigurationError, match=r"DATABASE_URL: .*acme"):
        organization.prepare_database(base, home.Kept.begin())

    with console.found() as work:
        assert work.organizations.by_name("acme") is not None


def test_an_organization_that_joined_a_demo_stays_with_it(
    base: Foundation, console: Console
) -> None:
    console.create(organization.NAME)
    console.create("acme")

    organization.prepare_database(base, replace(home.Kept.begin(), users=[]))

    with console.found() as work:
        assert [row.name for row in work.organizations.all()] == ["acme", "demo"]


def test_a_demo_that_begins_anew_empties_its_database(
    base: Foundation, console: Console
) -> None:
    console.create(organization.NAME)
    base.broker.publish(some_message(base))

    organization.prepare_database(base, home.Kept.begin())

    with base.store.engine.connect() as connection:
        for row in (table.rows, *tables.Base.metadata.sorted_tables):
            assert connection.scalar(select(func.count()).select_from(row)) == 0


def some_message(base: Foundation) -> Message:
    """Return a message that an earlier demo has left."""
    return Message(
        id="left",
        queue=Queue.RECORDS,
        subject=messages.TaskDue(organization_id=1, task_id="t1"),
        trigger=Trigger.SCHEDULE,
        queued_at=base.clock.now(),
    )


def test_a_demo_that_goes_on_keeps_its_database(
    base: Foundation, console: Console, opened: home.Home
) -> None:
    console.create(organization.NAME)

    organization.prepare_database(base, opened.kept)

    with console.found() as work:
        assert work.organizations.by_name(organization.NAME) is not None


def test_the_organization_reaches_the_simulated_crm(
    base: Foundation, opened: home.Home, where: Addresses
) -> None:
    organization.set_up(base, opened, where)

    with base.store.read() as work:
        row = work.organizations.by_name(organization.NAME)
        assert row is not None
        assert row.crm_url == f"{where.crm}/api/v1"
        assert row.crm_api_key == opened.kept.crm_api_key
        assert row.crm_webhook_secrets == [opened.kept.webhook_secret]
        assert row.google_client_id == opened.kept.google_client_id


def test_users_are_those_of_the_simulated_crm(
    base: Foundation, opened: home.Home, where: Addresses
) -> None:
    organization.set_up(base, opened, where)

    organization.read_users(base, opened.kept, where)

    with base.store.read() as work:
        row = work.organizations.by_name(organization.NAME)
        assert row is not None
        assert row.users_read_at is not None
        assert work.users.of(row.id, "u2") is not None


def test_the_token_of_the_admin_is_kept(
    base: Foundation, opened: home.Home, where: Addresses
) -> None:
    organization.set_up(base, opened, where)
    first = opened.kept.admin_token

    organization.set_up(base, opened, where)

    assert opened.kept.admin_token == first
    token_hash = signing.hash_secret(first or "")
    with base.store.read() as work:
        token = work.tokens.by_hash(token_hash, now=base.clock.now())
    assert token is not None
    assert token.role == "admin"


def test_a_token_that_the_database_does_not_know_is_replaced(
    base: Foundation, opened: home.Home, where: Addresses
) -> None:
    opened.keep(admin_token="of another database")  # noqa: S106 - made up

    organization.set_up(base, opened, where)

    assert opened.kept.admin_token != "of another database"  # noqa: S105 - made up


def test_channels_are_opened_anew_at_other_ports(
    base: Foundation, opened: home.Home, where: Addresses
) -> None:
    organization.set_up(base, opened, where)
    watch(base)
    opened.keep(receiver_port=8080)

    organization.set_up(base, opened, where)

    assert len(due_channels(base)) == 1
    assert opened.kept.receiver_port == where.receiver_port


def test_channels_are_left_alone_at_the_same_ports(
    base: Foundation, opened: home.Home, where: Addresses
) -> None:
    organization.set_up(base, opened, where)
    watch(base)

    organization.set_up(base, opened, where)

    assert due_channels(base) == []


def watch(base: Foundation) -> None:
    """Store a watch channel that lasts."""
    with base.store.begin() as work:
        row = work.organizations.by_name(organization.NAME)
        assert row is not None
        connection = store_rows.add_connection(work, row)
        calendar = store_rows.add_calendar(work, connection)
        later = base.clock.now().replace(year=base.clock.now().year + 1)
        work.channels.add(
            tables.Channel(
                id="channel",
                calendar_id=calendar.id,
                state="open",
                created_at=base.clock.now(),
                renew_at=later,
                expires_at=later,
            )
        )
        work.commit()


def due_channels(base: Foundation) -> list[str]:
    """Return the channels that the timers are to replace."""
    with base.store.read() as work:
        return [channel.id for channel in work.channels.expiring(base.clock.now())]


def test_an_admin_is_let_in_once(
    base: Foundation, opened: home.Home, where: Addresses
) -> None:
    organization.set_up(base, opened, where)

    address = organization.sign_in_address(base)

    start, _, code = address.partition("?code=")
    assert start == f"{base.config.public_url}/login"
    key, now = signing.hash_secret(code), base.clock.now()
    with base.store.begin() as work:
        first = work.login_codes.redeem(key, now=now)
        second = work.login_codes.redeem(key, now=now)
    assert first is not None
    assert (first.role, second) == ("admin", None)
