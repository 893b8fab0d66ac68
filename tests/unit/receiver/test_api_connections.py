"""The calls about connections."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store import tables
from shared.domain import mapping, messages, model
from shared.domain.access import Problem
from shared.domain.messages import Queue, Trigger
from tests import store_rows
from tests.unit.receiver.house import (
    NOW,
    House,
    query_of,
    wrong_fields,
)


class TestProblems:
    """What keeps a connection from being synced."""

    def test_a_problem_is_shown_with_what_to_do(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="paused", problem="api_disabled")

        shown = house.caller(acme).get(f"/connections/{row.id}").json["problem"]

        problem = Problem.API_DISABLED
        assert shown == {
            "code": "api_disabled",
            "title": problem.heading,
            "detail": problem.detail,
        }

    def test_a_disconnected_user_has_none(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="paused", problem="api_disabled")
        caller = house.caller(acme)

        caller.delete(f"/connections/{row.id}")

        assert caller.get(f"/connections/{row.id}").json["problem"] is None

    def test_nothing_is_removed_from_an_account_that_google_keeps_closed(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="paused", problem="client_refused")

        answer = house.caller(acme).delete(f"/connections/{row.id}?events=remove")

        assert answer.status_code == 409

    def test_a_calendar_that_is_chosen_instead_ends_the_problem(
        self, house: House, acme: tables.Organization
    ) -> None:
        missing = {"state": "calendar_missing", "problem": "calendar_missing"}
        row = house.connection(acme, google_sub="1001", **missing)
        with house.store.begin() as work:
            store_rows.add_calendar(work, row, "other", is_selected=False)
            work.commit()

        shown = (
            house.caller(acme)
            .ask("PATCH", f"/connections/{row.id}", json={"calendar_id": "other"})
            .json
        )

        assert (shown["state"], shown["problem"]) == ("active", None)
        assert shown["connected_at"] == NOW.isoformat().replace("+00:00", "Z")


class TestConnections:
    """Connections, and what can be done with them."""

    def test_a_connection_is_shown_with_its_calendar_and_channel(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(
            acme, connected_at=NOW, last_sync_at=NOW, granted_scopes=["openid"]
        )
        with house.store.begin() as work:
            calendar = store_rows.add_calendar(work, row)
            for number in (1, 2):
                work.channels.add(
                    tables.Channel(
                        id=f"c{number}",
                        calendar_id=calendar.id,
                        state="open",
                        created_at=NOW + timedelta(hours=number),
                        expires_at=NOW + timedelta(days=7),
                    )
                )
            work.commit()
        caller = house.caller(acme)

        answer = caller.get(f"/connections/{row.id}")

        at = NOW.isoformat().replace("+00:00", "Z")
        assert answer.status_code == 200
        assert answer.json == {
            "id": row.id,
            "crm_user_id": "u1",
            "google_account": "u1@gmail.example",
            "calendar_id": "ann@example.com",
            "state": "active",
            "problem": None,
            "granted_scopes": ["openid"],
            "connected_at": at,
            "last_sync_at": at,
            "channel": {
                "id": "c2",
                "expires_at": (NOW + timedelta(days=7))
                .isoformat()
                .replace("+00:00", "Z"),
                "last_notified_at": None,
            },
        }
        assert caller.get("/connections").json["items"] == [answer.json]

    def test_a_user_sees_the_own_one_only(
        self, house: House, acme: tables.Organization
    ) -> None:
        for user_id in ("u1", "u2"):
            house.connection(acme, user_id)
        caller = house.caller(acme, "user", "u2")

        (item,) = caller.get("/connections").json["items"]

        assert item["crm_user_id"] == "u2"
        assert caller.get(f"/connections/{item['id']}").status_code == 200

    def test_lists_are_paged(self, house: House, acme: tables.Organization) -> None:
        rows = [house.connection(acme, f"u{number}") for number in range(5)]
        caller = house.caller(acme)
        seen: list[int] = []
        query = "?limit=2"

        while query:
            page = caller.get(f"/connections{query}").json
            seen.extend(item["id"] for item in page["items"])
            cursor = page["next_cursor"]
            query = f"?limit=2&cursor={cursor}" if cursor else ""

        assert seen == [row.id for row in reversed(rows)]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=x", "limit"),
            ("limit=", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=0", "cursor"),
            ("cursor=-1", "cursor"),
            ("cursor=99999999999999999999", "cursor"),
            ("colour=red", "colour"),
        ],
    )
    def test_bad_parameters_are_refused_by_name(
        self, house: House, acme: tables.Organization, query: str, field: str
    ) -> None:
        answer = house.caller(acme).get(f"/connections?{query}")

        assert answer.status_code == 400
        assert wrong_fields(answer) == [field]

    @pytest.mark.parametrize(("role", "user_id"), [("admin", None), ("user", "u1")])
    def test_connecting_begins_at_google(
        self, house: House, acme: tables.Organization, role: str, user_id: str | None
    ) -> None:
        house.user(acme, "u1", email="ann@example.com")

        answer = house.caller(acme, role, user_id).post(
            "/connections", {"crm_user_id": "u1"}
        )

        asked = query_of(answer.json["authorization_url"])
        assert answer.status_code == 200
        assert asked["login_hint"] == "ann@example.com"

    def test_only_users_that_the_crm_has_can_be_connected(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.user(acme, "gone", active=False)
        house.user(house.organization("other"), "theirs")
        caller = house.caller(acme)

        for user_id in ("nobody", "gone", "theirs"):
            answer = caller.post("/connections", {"crm_user_id": user_id})

            assert answer.status_code == 422
            assert wrong_fields(answer) == ["crm_user_id"]

    def test_whoever_asks_before_the_users_were_read_is_told_so(
        self, house: House
    ) -> None:
        new = house.organization("new", users_read_at=None)
        old = house.organization("old", users_read_at=NOW)
        body = {"crm_user_id": "u1"}

        too_early = house.caller(new).post("/connections", body)
        unknown = house.caller(old).post("/connections", body)

        assert "have not been read yet" in too_early.text
        assert "no such user" in unknown.text

    def test_a_user_cannot_connect_another(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.user(acme, "u2")

        answer = house.caller(acme, "user", "u1").post(
            "/connections", {"crm_user_id": "u2"}
        )

        assert answer.status_code == 404

    def test_calendars_are_those_that_can_be_written(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        with house.store.begin() as work:
            for name, role, sub in (
                ("b", "writer", "1001"),
                ("holidays", "reader", "1001"),
                ("of another account", "owner", "1002"),
            ):
                work.calendars.add(
                    tables.Calendar(
                        connection_id=row.id,
                        google_sub=sub,
                        google_calendar_id=name,
                        summary=name,
                        time_zone="Europe/Berlin",
                        access_role=role,
                    )
                )
            store_rows.add_calendar(work, row, "a", is_primary=True)
            work.commit()

        answer = house.caller(acme).get(f"/connections/{row.id}/calendars")

        assert answer.json["next_cursor"] is None
        assert [c["id"] for c in answer.json["items"]] == ["a", "b"]
        assert answer.json["items"][0] == {
            "id": "a",
            "summary": "Work",
            "time_zone": "Europe/Berlin",
            "access_role": "owner",
            "is_primary": True,
            "is_selected": True,
        }

    def test_sync_now_is_queued_before_bulk_work(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)

        answer = house.caller(acme, "user", "u1").post(f"/connections/{row.id}/sync")

        (message,) = house.queued()
        assert answer.status_code == 202
        assert answer.json == {
            "id": message.job_id,
            "connection_id": row.id,
            "started_at": NOW.isoformat().replace("+00:00", "Z"),
            "finished_at": None,
            "trigger": "manual",
            "direction": "both",
            "state": "running",
            "processed": 0,
            "conflicts": 0,
            "errors": 0,
            "progress": {
                "done": 0,
                "total": 0,
                "is_listing": True,
                "rate_per_minute": 0.0,
                "remaining_seconds": None,
            },
        }
        assert message.subject == messages.ConnectionDue(connection_id=row.id)
        assert (message.queue, message.trigger) == (Queue.RECORDS, Trigger.MANUAL)

    def test_a_sync_that_is_about_to_begin_stands_for_a_second_one(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)
        first = caller.post(f"/connections/{row.id}/sync")

        second = caller.post(f"/connections/{row.id}/sync")

        assert second.json == first.json
        assert len(house.queued()) == 1

    def test_a_sync_that_has_listed_everything_does_not(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)
        first = caller.post(f"/connections/{row.id}/sync").json
        with house.store.begin() as work:
            work.jobs.expect(first["id"], 7, now=NOW)
            work.commit()

        second = caller.post(f"/connections/{row.id}/sync").json

        assert second["id"] != first["id"]

    def test_a_sync_that_never_began_does_not_stand_in_the_way(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)
        first = caller.post(f"/connections/{row.id}/sync").json
        house.clock.moment += timedelta(minutes=11)

        second = caller.post(f"/connections/{row.id}/sync").json

        assert second["id"] != first["id"]

    @pytest.mark.parametrize(
        "state", ["needs_reauthorization", "missing_scopes", "paused", "disconnected"]
    )
    def test_only_an_active_connection_is_synced(
        self, house: House, acme: tables.Organization, state: str
    ) -> None:
        row = house.connection(acme, state=state)

        answer = house.caller(acme).post(f"/connections/{row.id}/sync")

        assert answer.status_code == 409
        assert state in answer.json["detail"]
        assert house.queued() == []

    def test_a_sync_that_cannot_be_queued_has_failed(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)
        house.is_broker_down = True

        answer = caller.post(f"/connections/{row.id}/sync")

        (job,) = caller.get("/jobs").json["items"]
        assert answer.status_code == 503
        assert (job["state"], job["finished_at"]) == ("failed", job["started_at"])


class TestDisconnecting:
    """The end of a connection."""

    def test_tokens_are_forgotten_and_revoked_and_links_stay(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, access_token="access", granted_scopes=["openid"])  # noqa: S106
        with house.store.begin() as work:
            calendar = store_rows.add_calendar(work, row)
            link = store_rows.add_link(work, acme, calendar_id=calendar.id)
            work.channels.add(
                tables.Channel(
                    id="c1", calendar_id=calendar.id, state="open", created_at=NOW
                )
            )
            work.commit()
        caller = house.caller(acme)

        answer = caller.delete(f"/connections/{row.id}")

        with house.found() as work:
            left = work.connections.by_id(row.id)
            kept = work.links.by_id(link.id)
            channels = work.channels.open_of(calendar.id)
        assert (answer.status_code, answer.data) == (204, b"")
        assert (left.refresh_token, left.access_token) == (None, None)
        assert (left.state, left.granted_scopes) == ("disconnected", [])
        assert left.google_sub == "1001"
        assert kept.state == link.state
        assert channels == []
        (received,) = house.google.received
        assert received.path == "/revoke"
        assert received.form == {"token": "refresh-u1"}
        assert len(caller.get("/connections").json["items"]) == 1

    def test_again_does_nothing(self, house: House, acme: tables.Organization) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)
        caller.delete(f"/connections/{row.id}")

        answer = caller.delete(f"/connections/{row.id}")

        assert answer.status_code == 204
        assert len(house.google.received) == 1

    def test_it_is_done_though_google_does_not_answer(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        house.google.drop()

        answer = house.caller(acme).delete(f"/connections/{row.id}")

        with house.found() as work:
            left = work.connections.by_id(row.id)
        assert answer.status_code == 204
        assert left.refresh_token is None

    def test_a_grant_that_another_user_lives_on_is_not_revoked(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, "u1", google_sub="1001")
        house.connection(acme, "u2", google_sub="1001")

        house.caller(acme).delete(f"/connections/{row.id}")

        assert house.google.received == []

    def test_events_are_removed_by_a_worker_before_the_tokens_are_forgotten(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)

        answer = caller.delete(f"/connections/{row.id}?events=remove")

        assert answer.status_code == 204
        assert caller.get(f"/connections/{row.id}").json["state"] == "paused"
        (message,) = house.queued()
        assert message.subject == messages.RemovalDue(connection_id=row.id)
        assert (message.trigger, house.google.received) == (Trigger.MANUAL, [])

    def test_asking_twice_removes_once(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)

        path = f"/connections/{row.id}?events=remove"
        answers = [caller.delete(path) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [204, 204]
        assert len(house.queued()) == 1

    def test_a_removal_holds_nobodys_edits_up(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)

        house.caller(acme).delete(f"/connections/{row.id}?events=remove")

        (message,) = house.queued()
        with house.found() as work:
            begun_at = work.connections.by_id(row.id).probed_at
        assert message.queue is Queue.BACKFILL
        assert begun_at == NOW

    def test_events_cannot_be_removed_where_google_does_not_let_us_in(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="needs_reauthorization")
        caller = house.caller(acme)

        answer = caller.delete(f"/connections/{row.id}?events=remove")

        assert answer.status_code == 409
        assert "needs_reauthorization" in answer.json["detail"]
        assert caller.delete(f"/connections/{row.id}?events=keep").status_code == 204

    def test_a_removal_that_cannot_be_queued_has_not_begun(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        house.is_broker_down = True

        answer = house.caller(acme).delete(f"/connections/{row.id}?events=remove")

        assert answer.status_code == 503
        with house.found() as work:
            assert work.connections.by_id(row.id).state == "active"

    def test_other_wishes_for_events_are_refused(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)

        answer = house.caller(acme).delete(f"/connections/{row.id}?events=burn")

        assert answer.status_code == 400

    def test_shared_meetings_are_handed_over(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)

        house.caller(acme).delete(f"/connections/{row.id}")

        (message,) = house.queued()
        assert message.subject == messages.HandoverDue(connection_id=row.id)


class TestChoosingACalendar:
    """PATCH /connections/<id>, and the count of what it would move."""

    @pytest.fixture
    def row(self, house: House, acme: tables.Organization) -> tables.Connection:
        """Return a connection with two calendars, and links on the selected one."""
        row = house.connection(acme)
        with house.store.begin() as work:
            first = store_rows.add_calendar(work, row)
            for name, role in (("team", "writer"), ("theirs", "reader")):
                store_rows.add_calendar(
                    work, row, name, is_selected=False
                ).access_role = role
            for number, origin in enumerate(("crm", "crm", "google")):
                store_rows.add_link(
                    work,
                    acme,
                    task_id=f"t{number}",
                    calendar_id=first.id,
                    state="active",
                ).origin = origin
            work.commit()
        return row

    def test_the_choice_starts_a_sync_without_mail(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        answer = house.caller(acme, "user", "u1").ask(
            "PATCH", f"/connections/{row.id}", json={"calendar_id": "team"}
        )

        assert answer.status_code == 200
        assert answer.json["calendar_id"] == "team"
        (message,) = house.queued()
        assert message.subject == messages.ConnectionDue(connection_id=row.id)
        assert message.trigger is Trigger.REPAIR

    def test_choosing_the_same_again_starts_nothing(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        answer = house.caller(acme).ask(
            "PATCH", f"/connections/{row.id}", json={"calendar_id": "ann@example.com"}
        )

        assert answer.status_code == 200
        assert house.queued() == []

    @pytest.mark.parametrize("calendar_id", ["nowhere", "theirs"])
    def test_a_calendar_that_cannot_be_written_is_refused(
        self,
        house: House,
        acme: tables.Organization,
        row: tables.Connection,
        calendar_id: str,
    ) -> None:
        caller = house.caller(acme)

        patched = caller.ask(
            "PATCH", f"/connections/{row.id}", json={"calendar_id": calendar_id}
        )
        counted = caller.get(f"/connections/{row.id}/move?calendar_id={calendar_id}")

        assert (patched.status_code, counted.status_code) == (422, 404)
        assert wrong_fields(patched) == ["calendar_id"]

    def test_what_would_move_is_counted_and_nothing_changed(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        caller = house.caller(acme)

        answer = caller.get(f"/connections/{row.id}/move?calendar_id=team")

        assert answer.json == {"moves": 2, "stays": 1}
        shown = caller.get(f"/connections/{row.id}").json
        assert shown["calendar_id"] == "ann@example.com"

    def test_another_calendar_ends_that_the_former_is_missing(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        with house.store.begin() as work:
            work.connections.by_id(row.id).state = "calendar_missing"
            work.commit()

        answer = house.caller(acme).ask(
            "PATCH", f"/connections/{row.id}", json={"calendar_id": "team"}
        )

        assert answer.json["state"] == "active"

    def test_nothing_is_chosen_for_a_connection_that_must_be_mended_first(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        with house.store.begin() as work:
            work.connections.by_id(row.id).state = "needs_reauthorization"
            work.commit()

        answer = house.caller(acme).ask(
            "PATCH", f"/connections/{row.id}", json={"calendar_id": "team"}
        )

        assert answer.status_code == 409

    def test_the_same_calendar_is_synced_again_once_it_is_back(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        with house.store.begin() as work:
            work.connections.by_id(row.id).state = "calendar_missing"
            work.commit()

        answer = house.caller(acme).ask(
            "PATCH", f"/connections/{row.id}", json={"calendar_id": "ann@example.com"}
        )

        (message,) = house.queued()
        assert answer.json["state"] == "active"
        assert message.subject == messages.ConnectionDue(connection_id=row.id)

    @pytest.mark.parametrize("state", ["active", "calendar_missing"])
    def test_a_choice_whose_sync_cannot_be_queued_is_taken_back(
        self,
        house: House,
        acme: tables.Organization,
        row: tables.Connection,
        state: str,
    ) -> None:
        with house.store.begin() as work:
            work.connections.by_id(row.id).state = state
            work.commit()
        caller = house.caller(acme)
        before = caller.get(f"/connections/{row.id}").json
        house.is_broker_down = True

        answer = caller.ask(
            "PATCH", f"/connections/{row.id}", json={"calendar_id": "team"}
        )

        assert answer.status_code == 503
        assert caller.get(f"/connections/{row.id}").json == before

    def test_a_choice_of_the_first_calendar_is_taken_back_too(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        with house.store.begin() as work:
            work.calendars.select_none(row.id)
            work.commit()
        caller = house.caller(acme)
        house.is_broker_down = True

        caller.ask("PATCH", f"/connections/{row.id}", json={"calendar_id": "team"})

        assert caller.get(f"/connections/{row.id}").json["calendar_id"] is None

    def test_a_calendar_that_the_account_has_no_more_is_unknown(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        with house.store.begin() as work:
            gone = store_rows.add_calendar(work, row, "gone", is_selected=False)
            gone.access_role = "none"
            work.commit()
        caller = house.caller(acme)

        answer = caller.ask(
            "PATCH", f"/connections/{row.id}", json={"calendar_id": "gone"}
        )

        listed = caller.get(f"/connections/{row.id}/calendars").json["items"]
        assert answer.status_code == 422
        assert "no such calendar" in answer.text
        assert "gone" not in [calendar["id"] for calendar in listed]

    def test_meetings_that_are_over_do_not_count(
        self, house: House, acme: tables.Organization, row: tables.Connection
    ) -> None:
        with house.store.begin() as work:
            for link in work.links.of_connection(row.id):
                link.baseline = _baseline(cancelled=link.task_id == "t0")
            work.commit()

        answer = house.caller(acme).get(f"/connections/{row.id}/move?calendar_id=team")

        assert answer.json == {"moves": 1, "stays": 1}


def _baseline(*, cancelled: bool) -> dict[str, Any]:
    meeting = model.Meeting(
        title="Plan",
        when=model.Timed(start=NOW, end=NOW + timedelta(hours=1), zone="UTC"),
        cancelled=cancelled,
    )
    return mapping.baseline_to_document(model.Baseline(meeting=meeting, responses={}))
