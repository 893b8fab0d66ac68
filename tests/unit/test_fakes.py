"""The in-memory doubles keep the contracts of the adapters they stand in for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain import errors, model
from tests import clocks, crm_contract, fakes, google_contract


class FakeGoogleWorld:
    """The in-memory calendar of one account."""

    def __init__(self) -> None:
        """Begin with an empty calendar."""
        self.google = fakes.InMemoryCalendar(clocks.SystemClock())
        self.calendar_id = self.google.address

    def expire_sync_tokens(self) -> None:
        """Pass it on."""
        self.google.expire_sync_tokens()

    def lose_next_answer(self) -> None:
        """Order the failure."""
        self.google.apply_then_fail(errors.RemoteUnavailableError())


class FakeCrmWorld:
    """The in-memory CRM with one user."""

    def __init__(self) -> None:
        """Begin without tasks."""
        ann = model.User(id="ann", email=model.Address("ann@example.com"))
        self.crm = fakes.InMemoryCrm(clocks.SystemClock(), users=[ann])
        self.user_id = ann.id

    def delete_task(self, task_id: str) -> None:
        """Pass it on."""
        self.crm.remove(task_id)

    def notifications(self, user_id: str) -> Sequence[str]:
        """Read what was kept."""
        kept = self.crm.notifications.items()
        return [message.title for (user, _), message in kept if user == user_id]

    def lose_next_answer(self) -> None:
        """Order the failure."""
        self.crm.apply_then_fail(errors.RemoteUnavailableError())


class TestInMemoryCalendar(google_contract.GoogleCalendarContract):
    """The fake calendar."""

    @pytest.fixture
    def world(self) -> FakeGoogleWorld:
        """Return an account of its own for each test."""
        return FakeGoogleWorld()


class TestInMemoryCrm(crm_contract.CrmContract):
    """The fake CRM."""

    @pytest.fixture
    def world(self) -> FakeCrmWorld:
        """Return a CRM of its own for each test."""
        return FakeCrmWorld()


def test_a_long_list_of_events_comes_in_pages_with_one_token_at_the_end() -> None:
    calendar = fakes.InMemoryCalendar(clocks.SystemClock(), page_size=2)
    for number in range(5):
        body = google_contract.event(id=f"event{number}")
        calendar.insert_event("primary", body, send_updates="none")

    pages = [calendar.list_events("primary")]
    while pages[-1].next_page_token:
        pages.append(
            calendar.list_events("primary", page_token=pages[-1].next_page_token)
        )

    assert [len(page.events) for page in pages] == [2, 2, 1]
    assert [page.next_sync_token is None for page in pages] == [True, True, False]


def test_an_edit_while_paging_is_part_of_the_next_changes() -> None:
    calendar = fakes.InMemoryCalendar(clocks.SystemClock(), page_size=1)
    for number in range(2):
        body = google_contract.event(id=f"event{number}")
        calendar.insert_event("primary", body, send_updates="none")

    first = calendar.list_events("primary")
    calendar.edit("event1", summary="Moved meanwhile")
    last = calendar.list_events("primary", page_token=first.next_page_token)
    changes = calendar.list_events("primary", sync_token=last.next_sync_token)

    assert [event["summary"] for event in changes.events] == ["Moved meanwhile"]


def test_a_long_list_of_tasks_comes_in_pages() -> None:
    crm = fakes.InMemoryCrm(clocks.SystemClock(), page_size=2)
    for _ in range(5):
        crm.add(owner_id="ann")

    pages = [crm.list_tasks()]
    while pages[-1].next_cursor:
        pages.append(crm.list_tasks(cursor=pages[-1].next_cursor))

    assert [len(page.tasks) for page in pages] == [2, 2, 1]
    assert len({task["id"] for page in pages for task in page.tasks}) == 5


def test_a_deleted_task_is_forgotten_after_thirty_days() -> None:
    clock = clocks.SettableClock(datetime(2026, 11, 24, tzinfo=UTC))
    crm = fakes.InMemoryCrm(clock)
    task = crm.add(owner_id="ann")
    crm.remove(task["id"])

    clock.moment += timedelta(days=31)

    with pytest.raises(errors.RecordNotFoundError):
        crm.get_task(task["id"])


def test_an_ordered_failure_happens_once_and_changes_nothing() -> None:
    crm = fakes.InMemoryCrm(clocks.SystemClock())
    crm.fail_next(errors.RateLimitError())
    body = {"type": "Call", "title": "Call", "owner_id": "ann"}

    with pytest.raises(errors.RateLimitError):
        crm.create_task(body, idempotency_key="key")

    assert crm.live_tasks() == []
    assert crm.create_task(body, idempotency_key="key")["version"] == 1
    assert crm.calls == ["create_task", "create_task"]


def test_what_a_fake_answers_can_be_changed_without_changing_the_fake() -> None:
    calendar = fakes.InMemoryCalendar(clocks.SystemClock())
    body = google_contract.event(attendees=[{"email": "bob@example.com"}])
    made = calendar.insert_event("primary", body, send_updates="none")

    made["attendees"].clear()

    assert calendar.event(body["id"])["attendees"] == [{"email": "bob@example.com"}]


def test_what_users_do_shows_as_changes_but_not_as_calls() -> None:
    calendar = fakes.InMemoryCalendar(clocks.SystemClock())
    crm = fakes.InMemoryCrm(clocks.SystemClock())
    body = google_contract.event()
    calendar.insert_event("primary", body, send_updates="none")
    task = crm.add(owner_id="ann")

    calendar.edit(body["id"], summary="Moved")
    calendar.remove(body["id"])
    crm.edit(task["id"], title="Moved")

    assert calendar.event(body["id"])["summary"] == "Moved"
    assert calendar.live_events() == []
    assert calendar.calls == ["insert_event"]
    assert crm.task(task["id"])["version"] == 2
    assert crm.calls == []


def test_calendars_do_not_see_each_others_events() -> None:
    calendar = fakes.InMemoryCalendar(clocks.SystemClock())
    calendar.add_calendar("team")
    calendar.insert_event("primary", google_contract.event(), send_updates="none")

    page = calendar.list_events("team")

    assert page.events == []
    assert [entry.id for entry in calendar.list_calendars()] == [
        calendar.address,
        "team",
    ]
