"""What the queries on calendars, channels, links and copies must do everywhere."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.store import Store, UnitOfWork, tables
from shared.domain import errors, model
from tests import store_rows

CANCELLED = model.Event(
    id=model.EventId("e1"), etag='"2"', status=model.EventStatus.CANCELLED, when=None
)
EVENT = model.Event(
    id=model.EventId("e1"),
    etag='"1"',
    status=model.EventStatus.CONFIRMED,
    when=model.Timed(start=store_rows.NOW, end=store_rows.LATER, zone="UTC"),
    ical_uid="e1@google.com",
    updated_at=store_rows.NOW,
)


class CalendarsContract(store_rows.StoreFixture):
    """Calendars, their pull counters, and their channels."""

    @pytest.fixture
    def calendar(self, store: Store) -> tables.Calendar:
        """Return the selected calendar of an active connection."""
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            connection = store_rows.add_connection(work, acme)
            row = store_rows.add_calendar(work, connection)
            work.commit()
        return row

    def test_a_connection_syncs_one_calendar(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        with store.begin() as work:
            connection = work.connections.by_id(calendar.connection_id)
            other = store_rows.add_calendar(work, connection, "team", is_selected=False)
            before = work.calendars.selected_of(connection.id)
            work.calendars.select(other)

            assert before is not None
            assert before.id == calendar.id
            assert work.calendars.selected_of(connection.id) is other

    def test_a_calendar_is_read_together_with_those_it_belongs_to(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        with store.read() as work:
            found, connection, organization = work.calendars.with_owners(calendar.id)

            assert (found.id, connection.id) == (calendar.id, calendar.connection_id)
            assert organization.id == connection.organization_id
            with pytest.raises(LookupError, match="calendars has no row None"):
                work.calendars.with_owners(None)

    def test_the_calendars_of_an_account_begin_with_the_primary(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        with store.begin() as work:
            connection = work.connections.by_id(calendar.connection_id)
            primary = store_rows.add_calendar(
                work, connection, "x", summary="Z", is_primary=True, is_selected=False
            )

            found = work.calendars.of_account(connection.id, "1001")
            assert [row.id for row in found] == [primary.id, calendar.id]
            assert work.calendars.of_account(connection.id, "other") == []
            assert work.calendars.of(connection.id, "1001", "x") is primary

    def test_every_wish_for_a_pull_has_its_own_number(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        def request(_: int) -> int:
            with store.begin() as work:
                number = work.calendars.request(calendar.id)
                work.commit()
                return number

        numbers = store_rows.at_once(8, request)

        assert sorted(map(str, numbers)) == [str(n) for n in range(1, 9)]
        with store.begin() as work:
            assert work.calendars.counters(calendar.id) == (8, 0)

    def test_a_pull_grants_the_wishes_made_before_it(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        with store.begin() as work:
            for _ in range(3):
                work.calendars.request(calendar.id)
            work.calendars.mark_done(calendar.id, 2)
            work.calendars.mark_done(calendar.id, 1)

            assert work.calendars.counters(calendar.id) == (3, 2)

    def test_a_calendar_is_due_for_a_poll_until_it_is_claimed(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        before = store_rows.NOW - timedelta(minutes=15)
        with store.begin() as work:
            due = work.calendars.due_for_poll(before)
            claims = [
                work.calendars.claim_poll(
                    calendar.id, now=store_rows.NOW, before=before
                )
                for _ in range(2)
            ]

            assert [row.id for row in due] == [calendar.id]
            assert claims == [True, False]
            assert work.calendars.due_for_poll(before) == []
            assert len(work.calendars.due_for_poll(store_rows.NOW)) == 1

    def test_a_window_is_due_to_move_on_until_that_is_claimed(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        yesterday = store_rows.NOW - timedelta(days=1)
        with store.begin() as work:
            assert work.calendars.due_to_move_on(yesterday) == []
            work.calendars.by_id(calendar.id).moved_on_at = yesterday
            due = work.calendars.due_to_move_on(yesterday)
            claims = [
                work.calendars.claim_move(
                    calendar.id, now=store_rows.NOW, before=yesterday
                )
                for _ in range(2)
            ]

            assert [row.id for row in due] == [calendar.id]
            assert claims == [True, False]
            assert work.calendars.due_to_move_on(yesterday) == []

    @pytest.mark.parametrize("state", ["paused", "needs_reauthorization"])
    def test_calendars_of_inactive_connections_are_not_polled(
        self, store: Store, calendar: tables.Calendar, state: str
    ) -> None:
        with store.begin() as work:
            work.connections.by_id(calendar.connection_id).state = state

            assert work.calendars.active() == []
            assert work.calendars.due_for_poll(store_rows.NOW) == []

    def test_open_channels_are_listed_newest_first(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        with store.begin() as work:
            for name, state, created_at in (
                ("c1", "open", store_rows.NOW),
                ("c2", "closed", store_rows.NOW),
                ("c3", "open", store_rows.LATER),
            ):
                work.channels.add(
                    tables.Channel(
                        id=name,
                        calendar_id=calendar.id,
                        state=state,
                        created_at=created_at,
                    )
                )

            found = work.channels.open_of(calendar.id)
            assert [row.id for row in found] == ["c3", "c1"]

    def test_channels_are_renewed_in_time_or_at_their_end(
        self, store: Store, calendar: tables.Calendar
    ) -> None:
        minute = timedelta(minutes=1)
        with store.begin() as work:
            for name, state, renew_at, expires_at in (
                ("ends", "open", None, store_rows.NOW),
                ("renews", "open", store_rows.NOW - minute, store_rows.LATER),
                ("lives", "open", store_rows.NOW + minute, store_rows.LATER),
                ("closed", "closed", store_rows.NOW - minute, store_rows.NOW),
            ):
                work.channels.add(
                    tables.Channel(
                        id=name,
                        calendar_id=calendar.id,
                        state=state,
                        created_at=store_rows.NOW,
                        renew_at=renew_at,
                        expires_at=expires_at,
                    )
                )

            found = work.channels.expiring(store_rows.NOW)
            assert [row.id for row in found] == ["renews", "ends"]


class LinksContract(store_rows.StoreFixture):
    """Links and the copies of their events."""

    def test_a_new_link_is_pending_and_of_no_series(self, store: Store) -> None:
        with store.begin() as work:
            link = store_rows.add_link(work, store_rows.add_organization(work))

            assert (link.state, link.generation, link.original_start) == (
                "pending",
                0,
                "",
            )

    def test_a_link_is_found_by_each_of_its_names(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            beta = store_rows.add_organization(work, "beta")
            connection = store_rows.add_connection(work, acme)
            calendar = store_rows.add_calendar(work, connection)
            link = store_rows.add_link(
                work,
                acme,
                task_id="t1",
                ical_uid="e1@google.com",
                calendar_id=calendar.id,
                event_id="e1",
            )

            links = work.links
            assert links.of_task(acme.id, "t1") is link
            assert links.of_event(calendar.id, "e1") is link
            assert links.of_event_id_in(acme.id, "e1") is link
            assert links.of_ical(acme.id, "e1@google.com") is link
            assert links.of_task(beta.id, "t1") is None
            assert links.of_event_id_in(beta.id, "e1") is None
            assert links.of_ical(acme.id, "e1@google.com", "2026-03-02") is None

    @pytest.mark.parametrize(
        "name", [{"task_id": "t1"}, {"ical_uid": "i", "original_start": "2026-03-02"}]
    )
    def test_a_record_has_one_link(self, store: Store, name: dict[str, str]) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            store_rows.add_link(work, acme, **name)
            work.commit()

        with pytest.raises(errors.RecordBusyError), store.begin() as work:
            store_rows.add_link(work, acme, **name)

    def test_of_two_workers_with_a_new_record_one_makes_the_link(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            work.commit()

        def create(_: int) -> str:
            try:
                with store.begin() as work:
                    store_rows.add_link(work, acme, task_id="t1")
                    work.commit()
            except errors.RecordBusyError:
                return "busy"
            return "made"

        assert sorted(map(str, store_rows.at_once(2, create))) == ["busy", "made"]

    def test_links_that_are_pending_too_long_are_found(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            old = store_rows.add_link(work, acme, pending_since=store_rows.NOW)
            store_rows.add_link(work, acme, pending_since=store_rows.LATER)
            store_rows.add_link(
                work, acme, pending_since=store_rows.NOW, state="active"
            )

            assert work.links.pending_before(store_rows.LATER) == [old]

    def test_links_whose_held_guests_are_due_are_found(self, store: Store) -> None:
        due = {"guests_due_at": store_rows.NOW, "state": "active"}
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            ann = store_rows.add_connection(work, acme)
            ben = store_rows.add_connection(work, acme, "u2", state="paused")
            here = store_rows.add_calendar(work, ann).id
            there = store_rows.add_calendar(work, ben).id
            found = store_rows.add_link(work, acme, calendar_id=here, **due)
            store_rows.add_link(work, acme, calendar_id=there, **due)
            detached = {**due, "state": "detached"}
            store_rows.add_link(work, acme, calendar_id=here, **detached)
            later = {**due, "guests_due_at": store_rows.LATER}
            store_rows.add_link(work, acme, calendar_id=here, **later)
            store_rows.add_link(work, acme, calendar_id=here, state="active")

            assert work.links.guests_due(store_rows.NOW) == [found]

    def test_the_tasks_that_have_a_link_are_listed(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            other = store_rows.add_organization(work, "other")
            store_rows.add_link(work, acme, task_id="t1")
            store_rows.add_link(work, acme, ical_uid="not-yet")
            store_rows.add_link(work, other, task_id="t2")
            found = work.links.task_ids(acme.id)

        assert found == {"t1"}

    def test_a_forgotten_link_leaves_its_copies_and_no_conflict(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            connection = store_rows.add_connection(work, acme)
            calendar = store_rows.add_calendar(work, connection)
            link = store_rows.add_link(work, acme, task_id="t1")
            conflict = work.conflicts.add(
                tables.Conflict(
                    organization_id=acme.id,
                    link_id=link.id,
                    crm_user_id="u1",
                    fields=["title"],
                    created_at=store_rows.NOW,
                    updated_at=store_rows.NOW,
                )
            )
            event = {"id": "e1", "etag": "1", "status": "confirmed"}
            copy = work.copies.add(
                tables.Copy(
                    calendar_id=calendar.id,
                    event_id="e1",
                    etag="1",
                    document=event,
                    link_id=link.id,
                )
            )
            work.commit()
        with store.begin() as work:
            work.links.forget(link.id)
            work.commit()

        with store.read() as work:
            assert work.links.get(link.id) is None
            assert work.conflicts.get(conflict.id) is None
            assert work.copies.by_id(copy.id).link_id is None

    def test_the_id_of_a_link_is_never_used_again(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            lost = store_rows.add_link(work, acme, task_id="t1").id
            work.commit()
        with store.begin() as work:
            work.links.forget(lost)
            work.commit()

        with store.begin() as work:
            assert store_rows.add_link(work, acme, task_id="t1").id != lost

    def test_a_pending_link_that_was_touched_since_is_left_in_peace(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            link = store_rows.add_link(work, acme, pending_since=store_rows.NOW)
            link.updated_at = store_rows.LATER

            assert work.links.pending_before(store_rows.LATER) == []

    def test_the_copies_of_a_meeting_are_found_before_they_are_joined(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            other = store_rows.add_organization(work, "other")
            link = store_rows.add_link(work, acme, ical_uid="e1@google.com")
            copies = [
                work.copies.upsert(
                    store_rows.add_calendar(work, connection).id,
                    EVENT,
                    {"id": "e1"},
                    changed_at=None,
                )
                for connection in (
                    store_rows.add_connection(work, acme),
                    store_rows.add_connection(work, acme, "u2"),
                    store_rows.add_connection(work, other),
                )
            ]
            copies[0].link_id = link.id

            assert work.copies.of_meeting(link) == copies[:2]

    def test_a_copy_is_stored_and_then_brought_up_to_date(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            connection = store_rows.add_connection(work, acme)
            calendar = store_rows.add_calendar(work, connection)
            link = store_rows.add_link(work, acme)
            first = work.copies.upsert(
                calendar.id,
                EVENT,
                {"id": "e1", "summary": "Talk"},
                changed_at=store_rows.NOW,
                link_id=link.id,
            )
            first.settled_etag = '"1"'
            second = work.copies.upsert(
                calendar.id,
                CANCELLED,
                {"id": "e1"},
                changed_at=store_rows.LATER,
            )

            assert second is first
            assert (second.etag, second.document) == ('"2"', {"id": "e1"})
            assert second.changed_at == store_rows.LATER
            assert (second.link_id, second.ical_uid) == (link.id, "e1@google.com")
            assert second.settled_etag == '"1"'
            assert work.copies.of(calendar.id, "e1") is first
            assert work.copies.of_link(link.id) == [first]
            assert work.copies.among(calendar.id, ["e0", "e1"]) == {"e1": first}

    def test_workers_may_store_the_same_copy_at_once(self, store: Store) -> None:
        with store.begin() as work:
            connection = store_rows.add_connection(
                work, store_rows.add_organization(work)
            )
            calendar = store_rows.add_calendar(work, connection)
            work.commit()

        def see(number: int) -> int:
            with store.begin() as work:
                copy = work.copies.upsert(
                    calendar.id,
                    EVENT,
                    {"n": number},
                    changed_at=None,
                )
                work.commit()
                return copy.id

        assert len(set(store_rows.at_once(4, see))) == 1

    def test_the_occurrences_of_a_series_are_found_by_the_time_they_start(
        self, store: Store
    ) -> None:
        day = timedelta(days=1)
        with store.begin() as work:
            calendar = _calendar(work)
            master = replace(
                EVENT, id=model.EventId("m"), recurrence=("RRULE:FREQ=DAILY",)
            )
            work.copies.upsert(calendar.id, master, {"id": "m"}, changed_at=None)
            for number in (2, 1):
                event = _occurrence(number)
                document = {"id": event.id}
                work.copies.upsert(calendar.id, event, document, changed_at=None)
            start = store_rows.NOW + day

            def ids(rows: Iterable[tables.Copy]) -> list[str]:
                return [row.event_id for row in rows]

            starting = work.copies.starting(calendar.id, start, start + day)
            assert ids(work.copies.of_series(calendar.id, "m")) == ["m_1", "m_2"]
            assert ids(work.copies.series_of(calendar.id)) == ["m"]
            assert ids(starting) == ["m_1"]

    def test_a_series_that_is_deleted_is_none_any_more(self, store: Store) -> None:
        with store.begin() as work:
            calendar = _calendar(work)
            rule = ("RRULE:FREQ=DAILY",)
            for status in (model.EventStatus.CONFIRMED, model.EventStatus.CANCELLED):
                event = replace(EVENT, status=status, recurrence=rule)
                work.copies.upsert(calendar.id, event, {"id": "e1"}, changed_at=None)

            assert work.copies.series_of(calendar.id) == []

    def test_links_of_occurrences_that_are_past_are_found(self, store: Store) -> None:
        with store.begin() as work:
            calendar = _calendar(work)
            connection = work.connections.by_id(calendar.connection_id)
            acme = work.organizations.by_id(connection.organization_id)
            links = {}
            for number in (1, 2, 3):
                event = _occurrence(number)
                work.copies.upsert(
                    calendar.id, event, {"id": event.id}, changed_at=None
                )
                links[number] = store_rows.add_link(
                    work,
                    acme,
                    calendar_id=calendar.id,
                    event_id=event.id,
                    ical_uid="m@google.com",
                    original_start=str(number),
                    state="active",
                )
            links[2].state = "detached"
            moment = store_rows.NOW + timedelta(days=3)

            assert work.links.passed_by(calendar.id, moment) == [links[1]]


def _calendar(work: UnitOfWork) -> tables.Calendar:
    acme = store_rows.add_organization(work)
    return store_rows.add_calendar(work, store_rows.add_connection(work, acme))


def _occurrence(number: int) -> model.Event:
    """Return the occurrence of a daily series that is so many days away."""
    start = store_rows.NOW + timedelta(days=number)
    return replace(
        EVENT,
        id=model.EventId(f"m_{number}"),
        recurring_event_id="m",
        when=model.Timed(start=start, end=start + timedelta(hours=1), zone="UTC"),
    )
