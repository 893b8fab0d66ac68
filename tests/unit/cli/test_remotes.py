"""Google accounts and CRMs, kept between messages."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import remotes
from deploy.cli.remotes import Remotes
from shared.adapters import crypto
from shared.adapters.store import Store, UnitOfWork, tables
from shared.domain import errors
from tests import clocks, google_oauth_stub, store_rows, stub_server
from tests.google_oauth_stub import NEW, NOW, OLD

LASTING, NEWER = "refresh-u1", "refresh-newer"


class Bureau:
    """Remotes over a store, with one server in the place of all of Google."""

    def __init__(self, store: Store, google: stub_server.StubServer) -> None:
        self.store = store
        self.google = google
        self.clock = clocks.SettableClock(NOW)
        self.remotes = Remotes(
            api=google_oauth_stub.api(google.url),
            oauth=google_oauth_stub.at(google.url),
            store=store,
            clock=self.clock,
        )
        with store.begin() as work:
            self.acme = store_rows.add_organization(work)
            self.acme.google_client_id = "acme"
            self.acme.google_client_secret = "hush-client"  # noqa: S105 - made up
            work.commit()

    def connection(self, user_id: str = "u1", **columns: Any) -> tables.Connection:  # noqa: ANN401
        """Store a connection whose access token has expired."""
        values = {
            "refresh_token": f"refresh-{user_id}",
            "access_token": OLD,
            "access_token_expires_at": NOW - timedelta(minutes=1),
        } | columns
        with self.store.begin() as work:
            row = store_rows.add_connection(work, self.acme, user_id, **values)
            work.commit()
        return row

    def changed(self, row: tables.Connection, **columns: object) -> tables.Connection:
        """Change a connection in the store and return it as it is then."""
        with self.store.begin() as work:
            fresh = work.connections.by_id(row.id)
            for name, value in columns.items():
                setattr(fresh, name, value)
            work.commit()
        return fresh

    def stored(self, row: tables.Connection) -> tables.Connection:
        """Return a connection as it is stored now."""
        with self.store.read() as work:
            return work.connections.by_id(row.id)

    def grant(self, **fields: object) -> None:
        """Let Google answer a refresh."""
        answer = {"access_token": NEW, "expires_in": 3599, "token_type": "Bearer"}
        self.google.answer(answer | fields)

    def list_calendars(self, row: tables.Connection) -> None:
        """Ask Google for something as the account of a connection."""
        self.remotes.google(row).list_calendars()

    def asked(self) -> list[str]:
        """Return the paths that Google was asked for."""
        return [request.path for request in self.google.received]


@pytest.fixture
def bureau(database: Path) -> Iterator[Bureau]:
    """Return remotes with an organization."""
    store = Store(f"sqlite:///{database}", keys=crypto.Keys([store_rows.KEY]))
    with stub_server.running() as google:
        yield Bureau(store, google)
    store.close()


TOKEN, CALENDARS = "/token", "/calendar/v3/users/me/calendarList"


# -- Google -----------------------------------------------------------------------


def test_a_connection_without_tokens_is_a_revoked_grant(bureau: Bureau) -> None:
    row = bureau.connection(refresh_token=None, access_token=None)

    with pytest.raises(errors.GrantRevokedError):
        bureau.remotes.google(row)


def test_an_organization_without_a_google_app_is_told(bureau: Bureau) -> None:
    with bureau.store.begin() as work:
        work.organizations.by_id(bureau.acme.id).google_client_id = None
        work.commit()

    with pytest.raises(errors.ClientRefusedError, match="acme has no Google client"):
        bureau.remotes.google(bureau.connection())


def test_an_account_is_made_once(bureau: Bureau) -> None:
    row = bureau.connection()

    first = bureau.remotes.google(row)

    assert bureau.remotes.google(bureau.stored(row)) is first


def test_two_connections_are_two_accounts(bureau: Bureau) -> None:
    ann, ben = bureau.connection("u1"), bureau.connection("u2")

    assert bureau.remotes.google(ann) is not bureau.remotes.google(ben)


def test_an_access_token_that_still_holds_is_used(bureau: Bureau) -> None:
    row = bureau.connection(access_token_expires_at=NOW + timedelta(hours=1))

    bureau.list_calendars(row)

    (asked,) = bureau.google.received
    assert asked.headers["authorization"] == f"Bearer {OLD}"


def test_a_refreshed_access_token_is_stored(bureau: Bureau) -> None:
    row = bureau.connection()
    bureau.grant()

    bureau.list_calendars(row)

    stored = bureau.stored(row)
    assert (stored.access_token, stored.refresh_token) == (NEW, LASTING)
    assert stored.access_token_expires_at is not None
    assert stored.access_token_expires_at > NOW + timedelta(minutes=50)
    assert bureau.asked() == [TOKEN, CALENDARS]


def test_threads_that_find_the_token_expired_refresh_it_once(bureau: Bureau) -> None:
    row = bureau.connection()
    bureau.grant()

    store_rows.at_once(6, lambda _: bureau.list_calendars(row))

    assert bureau.asked().count(TOKEN) == 1
    assert bureau.asked().count(CALENDARS) == 6


def test_a_token_that_another_process_refreshed_is_taken_over(bureau: Bureau) -> None:
    row = bureau.connection()
    bureau.remotes.google(row)
    newer = bureau.changed(
        row, access_token=NEW, access_token_expires_at=NOW + timedelta(hours=1)
    )

    bureau.list_calendars(newer)

    assert bureau.asked() == [CALENDARS]
    assert bureau.google.received[0].headers["authorization"] == f"Bearer {NEW}"


def test_a_user_who_connected_anew_is_let_in_with_the_new_grant(
    bureau: Bureau,
) -> None:
    row = bureau.connection()
    bureau.remotes.google(row)
    newer = bureau.changed(row, refresh_token=NEWER)
    bureau.grant()

    bureau.list_calendars(newer)

    assert bureau.google.received[0].form["refresh_token"] == NEWER


def test_a_late_refresh_does_not_undo_a_new_connection(bureau: Bureau) -> None:
    row = bureau.connection()
    before = bureau.remotes.google(row)
    bureau.changed(row, refresh_token=NEWER, access_token="access-newer")  # noqa: S106 - made up
    bureau.grant()

    before.list_calendars()

    stored = bureau.stored(row)
    assert stored.refresh_token == NEWER
    assert stored.access_token == "access-newer"  # noqa: S105 - made up


def test_a_late_refresh_does_not_undo_a_disconnection(bureau: Bureau) -> None:
    row = bureau.connection()
    before = bureau.remotes.google(row)
    bureau.changed(row, refresh_token=None, access_token=None)
    bureau.grant()

    before.list_calendars()

    assert bureau.stored(row).access_token is None


def test_a_new_google_app_is_used_within_ten_seconds(bureau: Bureau) -> None:
    row = bureau.connection()
    bureau.remotes.google(row)
    with bureau.store.begin() as work:
        work.organizations.by_id(bureau.acme.id).google_client_id = "other"
        work.commit()
    bureau.clock.moment += timedelta(seconds=10)
    bureau.grant()

    bureau.list_calendars(row)

    assert bureau.google.received[0].form["client_id"] == "other"


def test_whoever_waits_for_a_google_app_is_tried_with_the_newest(
    bureau: Bureau,
) -> None:
    row = bureau.connection()
    bureau.remotes.google(row)
    with bureau.store.begin() as work:
        work.organizations.by_id(bureau.acme.id).google_client_id = "other"
        work.commit()
    bureau.grant()

    bureau.list_calendars(bureau.changed(row, state="paused"))

    assert bureau.google.received[0].form["client_id"] == "other"


def test_a_revoked_grant_is_told_as_such(bureau: Bureau) -> None:
    bureau.google.answer({"error": "invalid_grant"}, status=400)

    with pytest.raises(errors.GrantRevokedError):
        bureau.list_calendars(bureau.connection())


class BrokenStore(Store):
    """A store that can be read only, from some moment on."""

    is_broken = False

    @contextlib.contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Fail once it is broken."""
        if self.is_broken:
            raise errors.RemoteUnavailableError
        with super().begin() as work:
            yield work


def test_a_token_that_cannot_be_stored_lets_in_all_the_same(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = BrokenStore(f"sqlite:///{database}", keys=crypto.Keys([store_rows.KEY]))
    with stub_server.running() as google:
        bureau = Bureau(store, google)
        row = bureau.connection()
        bureau.grant()
        store.is_broken = True

        bureau.list_calendars(row)

    assert bureau.asked() == [TOKEN, CALENDARS]
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    (record,) = [r for r in warnings if r.name == remotes.__name__]
    assert record.getMessage().startswith("Could not store a new access token")
    assert NEW not in caplog.text
    store.close()


# -- CRM --------------------------------------------------------------------------


def test_a_crm_is_made_once_until_its_key_or_address_changes(bureau: Bureau) -> None:
    acme = bureau.acme
    first = bureau.remotes.crm(acme)
    again = bureau.remotes.crm(acme)

    acme.crm_api_key = "newer"
    second = bureau.remotes.crm(acme)
    acme.crm_url = f"{bureau.google.url}/api/v1"
    third = bureau.remotes.crm(acme)

    assert again is first
    assert len({id(first), id(second), id(third)}) == 3
    bureau.google.answer({"items": [], "next_cursor": None})
    third.list_users()
    assert bureau.google.received[0].headers["authorization"] == "Bearer newer"
