"""The Calendar adapter over HTTP: the contract, and what exactly is sent."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters import google_calendar
from shared.domain import errors, ports
from tests import clocks, google_contract, google_stub, simulators, stub_server

FIRST, SECOND, THIRD = "opaque-1", "opaque-2", "opaque-3"
PAGE = {"items": [], "nextSyncToken": FIRST, "timeZone": "UTC", "accessRole": "owner"}


class SimulatedGoogleWorld:
    """A new account of the simulated Google, reached over HTTP."""

    def __init__(self, simulator: simulators.Simulator, pushed_to: str) -> None:
        """Create the account."""
        self._simulator = simulator
        self.calendar_id = f"{uuid.uuid4().hex}@example.com"
        simulator.order("accounts", address=self.calendar_id)
        api = google_calendar.GoogleCalendarApi(
            api_url=simulator.url, push_address=pushed_to, clock=clocks.SystemClock()
        )
        token = f"demo-{self.calendar_id}"
        self.google = api.account(google_stub.credentials(token))

    def expire_sync_tokens(self) -> None:
        """Pass it on."""
        self._simulator.order("expire-sync-tokens", calendar=self.calendar_id)

    def lose_next_answer(self) -> None:
        """Order the failure."""
        match = {"account": self.calendar_id}
        self._simulator.order("faults", match=match, times=1, apply_then_fail="drop")


class TestGoogleCalendarClient(google_contract.GoogleCalendarContract):
    """The adapter in front of the simulated Google."""

    @pytest.fixture
    def world(
        self, simulated_google: simulators.Simulator, stub: stub_server.StubServer
    ) -> SimulatedGoogleWorld:
        """Return an account of its own for each test."""
        return SimulatedGoogleWorld(simulated_google, stub.url)


def test_a_full_list_asks_for_series_and_for_what_was_deleted(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer(PAGE)

    page = google_account.list_events(
        "ann@example.com", time_min=datetime(2026, 11, 1, tzinfo=UTC)
    )

    [request] = stub.received
    assert request.path == "/calendar/v3/calendars/ann%40example.com/events"
    assert request.headers["authorization"] == "Bearer token-of-ann"
    assert request.query == {
        "singleEvents": ["false"],
        "showDeleted": ["true"],
        "maxResults": ["2500"],
        "timeMin": ["2026-11-01T00:00:00+00:00"],
        "alt": ["json"],
    }
    assert page == ports.EventPage(
        events=[], time_zone="UTC", access_role="owner", next_sync_token=FIRST
    )


def test_a_list_of_changes_has_the_same_filters_and_the_token_on_every_page(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer({**PAGE, "nextPageToken": THIRD, "nextSyncToken": None})

    page = google_account.list_events("c", sync_token=FIRST, page_token=SECOND)

    [request] = stub.received
    assert request.query == {
        "singleEvents": ["false"],
        "showDeleted": ["true"],
        "maxResults": ["2500"],
        "syncToken": [FIRST],
        "pageToken": [SECOND],
        "alt": ["json"],
    }
    assert page.next_page_token == THIRD
    assert page.next_sync_token is None


def test_writes_carry_the_etag_and_whom_to_mail(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer({"id": "e1"})
    stub.answer_raw(b"", status=204)

    google_account.patch_event(
        "c", "e1", {"summary": "New"}, etag='"7"', send_updates="externalOnly"
    )
    google_account.delete_event("c", "e1", etag='"8"', send_updates="none")

    patch, delete = stub.received
    assert (patch.method, patch.json) == ("PATCH", {"summary": "New"})
    assert patch.headers["if-match"] == '"7"'
    assert patch.query["sendUpdates"] == ["externalOnly"]
    assert (delete.method, delete.path) == (
        "DELETE",
        "/calendar/v3/calendars/c/events/e1",
    )
    assert delete.headers["if-match"] == '"8"'
    assert delete.query["sendUpdates"] == ["none"]


def test_a_write_without_etag_is_unconditional(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer({"id": "e1"})

    google_account.patch_event("c", "e1", {}, etag=None, send_updates="none")

    assert "if-match" not in stub.received[0].headers


@pytest.mark.parametrize("expiration", ["1795600800000", 1795600800000])
def test_a_watch_names_the_push_address_and_reads_when_it_ends(
    stub: stub_server.StubServer,
    google_account: ports.GoogleCalendar,
    expiration: object,
) -> None:
    stub.answer({"resourceId": "r1", "expiration": expiration})

    grant = google_account.watch(
        "c", channel_id="ch1", token=THIRD, ttl=timedelta(days=2)
    )

    [request] = stub.received
    assert request.path == "/calendar/v3/calendars/c/events/watch"
    assert request.json == {
        "id": "ch1",
        "type": "web_hook",
        "address": google_stub.PUSH_ADDRESS,
        "token": THIRD,
        "params": {"ttl": "172800"},
    }
    assert grant.resource_id == "r1"
    assert grant.expires_at == datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


def test_stopping_an_unknown_channel_is_no_error(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer(google_stub.envelope(404, "notFound"), status=404)

    google_account.stop_channel("ch1", "r1")

    assert stub.received[0].path == "/calendar/v3/channels/stop"
    assert stub.received[0].json == {"id": "ch1", "resourceId": "r1"}


def test_calendars_are_read_from_all_pages(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    row = {"id": "ann@example.com", "summary": "Ann", "accessRole": "owner"}
    team = {"id": "team", "summary": "x", "summaryOverride": "Team"}
    stub.answer({"items": [{**row, "primary": True}], "nextPageToken": "p2"})
    stub.answer({"items": [{**team, "accessRole": "reader", "timeZone": "Asia/Tokyo"}]})

    entries = google_account.list_calendars()

    assert [entry.id for entry in entries if entry.is_primary] == ["ann@example.com"]
    assert entries[1] == ports.CalendarEntry(
        id="team",
        summary="Team",
        time_zone="Asia/Tokyo",
        access_role="reader",
        is_primary=False,
    )
    assert stub.received[1].query["pageToken"] == ["p2"]


def test_accounts_share_connections_but_not_tokens(
    stub: stub_server.StubServer, google_api: google_calendar.GoogleCalendarApi
) -> None:
    stub.answer({"id": "e1"})
    stub.answer({"id": "e1"})

    for name in ("ann", "bob"):
        google_api.account(google_stub.credentials(f"token-of-{name}")).get_event(
            "c", "e1"
        )

    tokens = [request.headers["authorization"] for request in stub.received]
    assert tokens == ["Bearer token-of-ann", "Bearer token-of-bob"]


def test_each_request_is_paced_by_what_it_counts(
    stub: stub_server.StubServer, google_api: google_calendar.GoogleCalendarApi
) -> None:
    units: list[int] = []
    account = google_api.account(google_stub.credentials("t"), pace=units.append)
    stub.answer(PAGE)
    stub.answer({"id": "e1"})
    stub.answer({"id": "e1"})

    account.list_events("ann@example.com")
    account.insert_event("ann@example.com", {"id": "e1"}, send_updates="none")
    account.patch_event("ann@example.com", "e1", {}, etag=None, send_updates="none")

    assert units == [1, 1, 3]


def test_a_request_that_has_no_room_is_not_sent(
    stub: stub_server.StubServer, google_api: google_calendar.GoogleCalendarApi
) -> None:
    def refuse(_units: int) -> None:
        raise errors.BudgetSpentError(retry_after=3)

    account = google_api.account(google_stub.credentials("t"), pace=refuse)

    with pytest.raises(errors.BudgetSpentError):
        account.list_events("ann@example.com")
    assert stub.received == []
