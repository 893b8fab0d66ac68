"""Client libraries that others wrote, driving the simulated Google over HTTP."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
import gcal_sync.api
import gcal_sync.auth
import gcal_sync.model
import gcal_sync.store
import gcal_sync.sync
import pytest
from gcsa.event import Event  # type: ignore[import-untyped] # no py.typed
from gcsa.google_calendar import GoogleCalendar  # type: ignore[import-untyped] # no py.typed
from gcsa.recurrence import DAILY, Recurrence  # type: ignore[import-untyped] # no py.typed
from google.oauth2.credentials import Credentials
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from deploy.demo import server
from deploy.demo.google import app, delivery, provisioning, state

ANNA = "anna@example.com"
TOKEN = f"demo-{ANNA}"
NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A running simulator and what it holds."""

    url: str
    held: state.State

    def expire_tokens(self) -> None:
        """Let all sync tokens die."""
        provisioning.expire_sync_tokens(self.held, datetime.now(UTC), None)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    held = state.State()
    provisioning.add_account(
        held, datetime.now(UTC), address=ANNA, name="Anna", time_zone="Europe/Berlin"
    )
    application = app.create_app(held, sender=delivery.CollectingSender())
    listening = server.make_server("127.0.0.1", 0, application)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    yield Simulator(url=f"http://127.0.0.1:{listening.port}", held=held)
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
def google(simulator: Simulator) -> Iterator[GoogleCalendar]:
    credentials = Credentials(token=TOKEN)  # type: ignore[no-untyped-call] # theirs
    calendar = GoogleCalendar(ANNA, credentials=credentials)
    # It builds a service for the real Google, which nothing has used yet.
    calendar.service.close()
    calendar.service = discovery.build(
        "calendar",
        "v3",
        credentials=credentials,
        client_options={"api_endpoint": f"{simulator.url}/calendar/v3"},
    )
    yield calendar
    calendar.service.close()


def test_gcsa_creates_edits_moves_and_deletes(google: GoogleCalendar) -> None:
    made = google.add_event(
        Event("Lunch", start=NOON, end=NOON + timedelta(hours=1), location="Canteen")
    )

    made.summary = "Long lunch"
    made.end = NOON + timedelta(hours=2)
    google.update_event(made)
    found = google.get_event(made.event_id)
    google.delete_event(made)

    assert (found.summary, found.location) == ("Long lunch", "Canteen")
    assert (found.start, found.end) == (NOON, NOON + timedelta(hours=2))
    assert list(google.get_events(NOON - timedelta(days=1))) == []


def test_gcsa_lists_in_order_and_searches(google: GoogleCalendar) -> None:
    for days, title in ((2, "Third"), (0, "First"), (1, "Second")):
        google.add_event(Event(title, start=date(2026, 12, 1) + timedelta(days=days)))

    ordered = google.get_events(
        date(2026, 12, 1), date(2026, 12, 31), order_by="startTime", single_events=True
    )
    searched = google.get_events(date(2026, 12, 1), query="second")

    assert [event.summary for event in ordered] == ["First", "Second", "Third"]
    assert [event.summary for event in searched] == ["Second"]


def test_gcsa_repeats_and_changes_one_occurrence(google: GoogleCalendar) -> None:
    series = google.add_event(
        Event(
            "Stand-up",
            start=NOON,
            end=NOON + timedelta(minutes=15),
            timezone="Europe/Berlin",
            recurrence=Recurrence.rule(freq=DAILY, count=4),
        )
    )

    _, second, third, _ = google.get_instances(series)
    second.summary = "Retrospective"
    google.update_event(second)
    google.delete_event(third)

    titles = [event.summary for event in google.get_instances(series)]
    assert titles == ["Stand-up", "Retrospective", "Stand-up"]


def test_gcsa_syncs_and_is_told_when_its_token_died(
    simulator: Simulator, google: GoogleCalendar
) -> None:
    first = google.get_events(date(2026, 1, 1))
    list(first)
    token = _last_token(google)
    google.add_event(Event("News", start=NOON))

    delta = google.service.events().list(calendarId=ANNA, syncToken=token).execute()
    simulator.expire_tokens()
    with pytest.raises(HttpError) as caught:
        google.service.events().list(calendarId=ANNA, syncToken=token).execute()

    assert [row["summary"] for row in delta["items"]] == ["News"]
    assert caught.value.status_code == HTTPStatus.GONE
    assert json.loads(caught.value.content)["error"]["errors"][0]["reason"] == (
        "fullSyncRequired"
    )


def _last_token(google: GoogleCalendar) -> str:
    answer = google.service.events().list(calendarId=ANNA).execute()
    token: str = answer["nextSyncToken"]
    return token


class _Auth(gcal_sync.auth.AbstractAuth):
    async def async_get_access_token(self) -> str:
        return TOKEN


def _with_gcal_sync(
    url: str,
    act: Callable[[gcal_sync.api.GoogleCalendarService], Awaitable[None]],
) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            auth = _Auth(session, f"{url}/calendar/v3")
            await act(gcal_sync.api.GoogleCalendarService(auth))

    asyncio.run(run())


def _at(moment: datetime) -> gcal_sync.model.DateOrDatetime:
    return gcal_sync.model.DateOrDatetime(dateTime=moment, timeZone="Europe/Berlin")


def _event(title: str, **fields: Any) -> gcal_sync.model.Event:  # noqa: ANN401 -- of many types
    return gcal_sync.model.Event(
        summary=title,
        start=_at(NOON),
        end=_at(NOON + timedelta(hours=1)),
        **fields,
    )


def test_gcal_sync_reads_calendars_and_events(simulator: Simulator) -> None:
    async def act(service: gcal_sync.api.GoogleCalendarService) -> None:
        await service.async_create_event(ANNA, _event("Lunch"))

        calendars = await service.async_list_calendars()
        events = await service.async_list_events(
            gcal_sync.api.ListEventsRequest(calendarId=ANNA, timeMin=NOON)
        )

        assert [(c.id, c.timezone) for c in calendars.items] == [
            (ANNA, "Europe/Berlin")
        ]
        assert [event.summary for event in events.items] == ["Lunch"]

    _with_gcal_sync(simulator.url, act)


def test_gcal_sync_follows_edits_and_deletions(simulator: Simulator) -> None:
    async def act(service: gcal_sync.api.GoogleCalendarService) -> None:
        manager = gcal_sync.sync.CalendarEventSyncManager(
            service, ANNA, gcal_sync.store.InMemoryCalendarStore()
        )
        await manager.run()
        await service.async_create_event(ANNA, _event("Lunch"))
        await service.async_create_event(ANNA, _event("Dinner"))
        await manager.run()
        created = await _titles(manager)
        timeline = await manager.store_service.async_get_timeline()
        ids = {event.summary: str(event.id) for event in timeline}

        await service.async_patch_event(ANNA, ids["Lunch"], {"summary": "Brunch"})
        await service.async_delete_event(ANNA, ids["Dinner"])
        await manager.run()

        assert created == ["Dinner", "Lunch"]
        assert await _titles(manager) == ["Brunch"]

    _with_gcal_sync(simulator.url, act)


def test_gcal_sync_repeats_cancels_one_and_ends_earlier(simulator: Simulator) -> None:
    async def act(service: gcal_sync.api.GoogleCalendarService) -> None:
        manager = gcal_sync.sync.CalendarEventSyncManager(service, ANNA)
        event = _event("Stand-up", recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
        await service.async_create_event(ANNA, event)
        await manager.run()
        timeline = list(await manager.store_service.async_get_timeline())

        await manager.store_service.async_delete_event(
            ical_uuid=str(timeline[1].ical_uuid), event_id=timeline[1].id
        )
        await manager.run()
        without_one = await _titles(manager)
        shorter = {"recurrence": ["RRULE:FREQ=DAILY;UNTIL=20261203T120000Z"]}
        series = str(timeline[0].recurring_event_id)
        await service.async_patch_event(ANNA, series, shorter)
        await manager.run()

        assert len(timeline) == 5
        assert without_one == ["Stand-up"] * 4
        assert await _titles(manager) == ["Stand-up"] * 2

    _with_gcal_sync(simulator.url, act)


def test_gcal_sync_starts_afresh_when_its_token_died(simulator: Simulator) -> None:
    async def act(service: gcal_sync.api.GoogleCalendarService) -> None:
        manager = gcal_sync.sync.CalendarEventSyncManager(service, ANNA)
        await service.async_create_event(ANNA, _event("Lunch"))
        await manager.run()
        simulator.expire_tokens()
        await service.async_create_event(ANNA, _event("Dinner"))

        await manager.run()

        assert await _titles(manager) == ["Dinner", "Lunch"]

    _with_gcal_sync(simulator.url, act)


async def _titles(manager: gcal_sync.sync.CalendarEventSyncManager) -> list[str]:
    timeline = await manager.store_service.async_get_timeline()
    return sorted(str(event.summary) for event in timeline)
