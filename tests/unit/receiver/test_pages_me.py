"""My calendar: everything that users do to their own connection."""

from typing import Any

import pytest

from shared.adapters.store import tables
from shared.domain import messages
from shared.domain.access import Problem
from tests import store_rows
from tests.unit.receiver.consenting import connection_of
from tests.unit.receiver.forms import add_item, job_of, send
from tests.unit.receiver.house import NOW, House

COUNTS: dict[str, Any] = {
    "google": {"created": 12, "updated": 3, "cancelled": 1},
    "crm": {"created": 7, "updated": 0, "cancelled": 0},
    "linked": 4,
    "guests": 9,
    "mailed": 0,
    "failed": 2,
    "left": [{"reason": "private_event", "count": 5}],
}


def add_calendars(house: House, row: tables.Connection, *, made_here: int = 0) -> None:
    """Store a chosen calendar with events, and another one."""
    with house.store.begin() as work:
        organization = work.organizations.by_id(row.organization_id)
        chosen = store_rows.add_calendar(work, row, "main", summary="Main")
        store_rows.add_calendar(work, row, "team", is_selected=False, summary="Team")
        for number in range(made_here):
            store_rows.add_link(
                work,
                organization,
                task_id=f"t{number}",
                calendar_id=chosen.id,
                state="active",
            )
        work.commit()


class TestConnecting:
    """Before there is a connection, and when it is over."""

    def test_a_first_connection_may_be_looked_at_before_it_syncs(
        self, house: House, acme: tables.Organization
    ) -> None:
        page = house.signed_in(acme).get("/me").text

        assert "/api/calendar-sync/connect?start=later" in page
        assert "Disconnect" not in page

    def test_whoever_was_synced_before_just_connects_again(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, state="disconnected", last_sync_at=NOW)

        page = house.signed_in(acme).get("/me").text

        assert "Connect Google Calendar" in page
        assert "start=later" not in page

    def test_a_refusal_at_google_says_what_to_do(
        self, house: House, acme: tables.Organization
    ) -> None:
        page = house.signed_in(acme).get("/me?notice=denied").text

        assert "/help#access-denied" in page

    def test_a_problem_comes_with_advice(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, state="needs_reauthorization", problem="revoked")

        page = house.signed_in(acme).get("/me").text

        assert "/help#access-revoked" in page
        assert "Connect again" in page

    def test_an_operator_may_only_look(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme)
        browser = house.signed_in(acme, "operator", "u1")

        assert "<button" not in browser.get("/me").text.partition("<main")[2]
        assert send(browser, "/me/sync").status_code == 403


class TestSyncing:
    """Sync now, and the first sync."""

    def test_sync_now_shows_how_far_it_is(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme)
        browser = house.signed_in(acme)

        page = send(browser, "/me/sync").text

        assert "The sync has begun" in page
        assert "data-job=" in page
        assert "<progress" in page
        assert len(house.queued()) == 1

    def test_a_connection_that_is_not_active_says_so_on_the_page(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, state="needs_reauthorization", problem="revoked")

        answer = send(house.signed_in(acme), "/me/sync")

        assert answer.status_code == 200
        assert "The connection is not active" in answer.text

    def test_without_the_broker_the_page_says_to_try_again(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme)
        browser = house.signed_in(acme)
        house.is_broker_down = True

        answer = send(browser, "/me/sync")

        assert answer.status_code == 200
        assert "Try again in a minute" in answer.text

    def test_nobody_without_connection_syncs(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, "u2")

        for path in ("/me/sync", "/me/preview", "/me/calendar", "/me/disconnect"):
            assert send(house.signed_in(acme), path).status_code == 404

    def test_a_form_of_another_site_does_nothing(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme)

        answer = house.signed_in(acme).post("/me/sync", data={"csrf_token": "guess"})

        assert answer.status_code == 403
        assert house.queued() == []

    def test_the_first_sync_can_be_counted_and_then_started(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="paused", problem=Problem.NOT_STARTED)
        browser = house.signed_in(acme)
        before = browser.get("/me").text
        counting = send(browser, "/me/preview").text
        with house.store.begin() as work:
            work.previews.finish(row.id, counts=COUNTS, now=NOW)
            work.commit()

        counted = browser.get("/me").text
        send(browser, "/me/sync")

        assert "See what the first sync will do" in before
        assert "Both sides are being read" in counting
        assert "12" in counted
        assert "No guest gets mail" in counted
        assert "Private events are not imported" in counted
        assert "Start syncing" in counted
        assert connection_of(house, acme).state == "active"

    def test_mail_to_guests_is_counted_before_it_is_sent(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="paused", problem=Problem.NOT_STARTED)
        with house.store.begin() as work:
            work.previews.request(row.id, NOW)
            work.previews.finish(row.id, counts=COUNTS | {"mailed": 8}, now=NOW)
            work.commit()

        assert "8 of 9 guests would get mail" in house.signed_in(acme).get("/me").text

    def test_a_preview_that_failed_says_why(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="paused", problem=Problem.NOT_STARTED)
        with house.store.begin() as work:
            work.previews.request(row.id, NOW)
            work.previews.finish(row.id, error="Google is busy.", now=NOW)
            work.commit()

        page = house.signed_in(acme).get("/me").text

        assert "Google is busy." in page
        assert "Count again" in page


class TestCalendar:
    """Which calendar is synced."""

    def test_what_moves_is_counted_before_it_does(
        self, house: House, acme: tables.Organization
    ) -> None:
        add_calendars(house, house.connection(acme), made_here=2)
        browser = house.signed_in(acme)

        page = send(browser, "/me/calendar", calendar_id="team").text

        assert "Sync the calendar Team?" in page
        assert "2 events that came from the CRM move there" in page
        assert house.queued() == []

    def test_whoever_says_yes_has_it_moved(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        add_calendars(house, row)
        browser = house.signed_in(acme)

        page = send(browser, "/me/calendar", calendar_id="team", confirmed="yes").text

        assert "The calendar is chosen" in page
        with house.found() as work:
            chosen = work.calendars.selected_of(row.id)
        assert chosen is not None
        assert chosen.google_calendar_id == "team"

    def test_a_calendar_that_is_gone_meanwhile_is_refused_in_words(
        self, house: House, acme: tables.Organization
    ) -> None:
        add_calendars(house, house.connection(acme))

        answer = send(
            house.signed_in(acme), "/me/calendar", calendar_id="gone", confirmed="yes"
        )

        assert answer.status_code == 200
        assert "no such calendar" in answer.text

    def test_one_calendar_leaves_no_choice(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        with house.store.begin() as work:
            store_rows.add_calendar(work, row)
            work.commit()

        assert "calendar_id" not in house.signed_in(acme).get("/me").text


class TestDisconnecting:
    """Leaving, with the events or without."""

    @pytest.mark.parametrize(
        ("made_here", "events", "text"),
        [
            (2, "remove", "2 events that came from the CRM are removed"),
            (1, "remove", "1 event that came from the CRM is removed"),
            (2, "keep", "2 events stay as they are"),
            (1, "keep", "1 event stays on the calendar"),
        ],
    )
    def test_what_becomes_of_the_events_is_counted(
        self,
        house: House,
        acme: tables.Organization,
        made_here: int,
        events: str,
        text: str,
    ) -> None:
        add_calendars(house, house.connection(acme), made_here=made_here)

        page = send(house.signed_in(acme), "/me/disconnect", events=events).text

        assert text in page
        assert connection_of(house, acme).state == "active"

    def test_events_that_are_kept_stay_and_the_access_ends(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, refresh_token=None)

        page = send(
            house.signed_in(acme), "/me/disconnect", events="keep", confirmed="yes"
        ).text

        assert "The Google account is disconnected" in page
        assert connection_of(house, acme).state == "disconnected"

    def test_events_that_are_to_go_are_removed_by_a_worker(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)

        page = send(
            house.signed_in(acme), "/me/disconnect", events="remove", confirmed="yes"
        ).text

        assert "being removed" in page
        assert "Stay connected" in page
        (due,) = house.queued()
        assert due.subject == messages.RemovalDue(connection_id=row.id)

    def test_nothing_is_removed_while_google_keeps_us_out(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, state="needs_reauthorization", problem="revoked")
        browser = house.signed_in(acme)

        assert 'value="remove"' not in browser.get("/me").text
        page = send(browser, "/me/disconnect", events="remove", confirmed="yes").text
        assert "Events can be removed only while Google lets us in" in page


class TestChanges:
    """What happened last."""

    def test_the_last_changes_are_told_in_words(
        self, house: House, acme: tables.Organization
    ) -> None:
        job = job_of(house, house.connection(acme))
        for number in range(12):
            add_item(house, job, number)
        add_item(house, job, 50, outcome="unchanged", reason="echo")
        add_item(house, job, 51, task_id="t11", delivery_id="again")

        page = house.signed_in(acme).get("/me").text

        assert "Meeting 51." in page
        assert "Meeting 2." in page
        assert "Meeting 1." not in page
        assert "The task was edited: the event followed." in page
        assert "Meeting 50." not in page
        assert "Meeting 11." not in page

    def test_another_users_changes_are_not_told(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme)
        add_item(house, job_of(house, house.connection(acme, "u2")), 1)

        page = house.signed_in(acme).get("/me").text

        assert "Meeting 1." not in page
        assert "Nothing has changed yet" in page

    @pytest.mark.parametrize("user_id", ["u1", "u2"])
    def test_own_conflicts_are_counted(
        self, house: House, acme: tables.Organization, user_id: str
    ) -> None:
        house.connection(acme)
        with house.store.begin() as work:
            work.conflicts.add(
                tables.Conflict(
                    organization_id=acme.id,
                    link_id=store_rows.add_link(work, acme).id,
                    crm_user_id=user_id,
                    fields=["title"],
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            work.commit()

        page = house.signed_in(acme).get("/me").text

        assert ("1 to settle" in page) == (user_id == "u1")


def test_help_lists_every_situation(house: House, acme: tables.Organization) -> None:
    for role in ("admin", "user", "operator"):
        page = house.signed_in(acme, role).get("/help").text

        for topic in (
            "access-denied",
            "events-not-appearing",
            "duplicate-events",
            "wrong-calendar",
            "rate-limit-exceeded",
            "access-revoked",
        ):
            assert f'id="{topic}"' in page


def test_a_record_comes_with_advice_where_there_is_any(
    house: House, acme: tables.Organization
) -> None:
    job = job_of(house, house.connection(acme))
    add_item(house, job, 1, outcome="failed", reason="rate_limit")

    page = house.signed_in(acme).get(f"/admin/history/{job.id}").text

    assert "/help#rate-limit-exceeded" in page
