"""The calls about settings."""

from typing import Any

import pytest

from shared.adapters.store import tables
from shared.domain import messages
from shared.domain.messages import Queue, Trigger
from shared.domain.settings import Settings
from tests import store_rows
from tests.unit.receiver.bodies import Endless, Malformed, in_pieces
from tests.unit.receiver.house import NOW, House, wrong_fields


class TestSettings:
    """The settings document."""

    DEFAULTS = Settings().to_document()

    def test_the_defaults_are_the_contracts(
        self, house: House, acme: tables.Organization
    ) -> None:
        assert house.caller(acme).get("/settings").json == {
            "frequency": "realtime",
            "task_types": {"Meeting": True, "Call": False},
            "create_tasks_from_google": True,
            "include_all_day": False,
            "default_task_type": "Meeting",
            "default_duration_minutes": {"Meeting": 60, "Call": 30},
            "conflict_policy": "last_modified_wins",
            "merge_disjoint_edits": False,
            "guest_notifications": "none",
            "import_private_events": False,
            "window_past_days": 30,
            "window_future_days": 90,
            "mass_deletion_limit": 25,
        }

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"frequency": "15min"},
            {"conflict_policy": "manual"},
            {"guest_notifications": "external"},
            {"mass_deletion_limit": 0},
            {"window_future_days": 30.0},
            {"default_task_type": "Meeting"},
        ],
    )
    def test_what_is_named_changes_and_the_rest_stays(
        self, house: House, acme: tables.Organization, change: dict[str, Any]
    ) -> None:
        caller = house.caller(acme)

        answer = caller.put("/settings", change)

        assert answer.status_code == 200
        assert answer.json == self.DEFAULTS | change
        assert caller.get("/settings").json == answer.json

    def test_types_that_are_not_named_keep_what_they_have(
        self, house: House, acme: tables.Organization
    ) -> None:
        caller = house.caller(acme)
        caller.put("/settings", {"task_types": {"Visit": True}})

        answer = caller.put(
            "/settings",
            {"task_types": {"Call": True}, "default_duration_minutes": {"Visit": 90}},
        )

        assert answer.json["task_types"] == {
            "Meeting": True,
            "Call": True,
            "Visit": True,
        }
        assert answer.json["default_duration_minutes"]["Meeting"] == 60
        assert answer.json["default_duration_minutes"]["Visit"] == 90

    @pytest.mark.parametrize(
        ("change", "fields"),
        [
            ({"frequency": "daily"}, ["frequency"]),
            ({"conflict_policy": None}, ["conflict_policy"]),
            ({"task_types": {"Meeting": False}}, ["default_task_type"]),
            ({"default_task_type": "Call"}, ["default_task_type"]),
            ({"default_task_type": "Visit"}, ["default_task_type"]),
            ({"task_types": {"Meeting": "yes"}}, ["task_types.Meeting"]),
            ({"task_types": {"": True}}, ["task_types"]),
            ({"task_types": {str(n): True for n in range(99)}}, ["task_types"]),
            ({"task_types": []}, ["task_types"]),
            ({"include_all_day": 1}, ["include_all_day"]),
            ({"window_past_days": -1}, ["window_past_days"]),
            ({"window_past_days": "30"}, ["window_past_days"]),
            ({"window_past_days": 1.5}, ["window_past_days"]),
            ({"default_duration_minutes": {"A": -1}}, ["default_duration_minutes.A"]),
            ({"colour": "red", "frequency": "x"}, ["frequency", "colour"]),
        ],
    )
    def test_bad_settings_are_refused_by_field_and_change_nothing(
        self,
        house: House,
        acme: tables.Organization,
        change: dict[str, Any],
        fields: list[str],
    ) -> None:
        caller = house.caller(acme)

        answer = caller.put("/settings", {"merge_disjoint_edits": True} | change)

        assert answer.status_code == 422
        assert wrong_fields(answer) == fields
        assert caller.get("/settings").json == self.DEFAULTS

    @pytest.mark.parametrize(
        ("options", "status"),
        [
            ({"data": b"{", "content_type": "application/json"}, 400),
            ({"data": b"\xff", "content_type": "application/json"}, 400),
            ({"data": b"", "content_type": "application/json"}, 400),
            ({"data": b"[" * 9999, "content_type": "application/json"}, 400),
            ({"data": b"[]", "content_type": "application/json"}, 422),
            ({"data": b"null", "content_type": "application/json"}, 422),
            ({"data": b'"{}"', "content_type": "application/json"}, 422),
            ({"data": b"{}", "content_type": "text/plain"}, 415),
            ({"data": {"frequency": "15min"}}, 415),
            ({}, 415),
            ({"data": b" " * (256 * 1024 + 1), "content_type": "text/plain"}, 415),
            (
                {
                    "data": b" " * (256 * 1024 + 1),
                    "content_type": "application/json",
                },
                413,
            ),
        ],
    )
    def test_what_is_no_object_in_json_is_refused(
        self,
        house: House,
        acme: tables.Organization,
        options: dict[str, Any],
        status: int,
    ) -> None:
        answer = house.caller(acme).ask("PUT", "/settings", **options)

        assert answer.status_code == status
        assert answer.content_type == "application/problem+json"

    def test_an_oversized_body_in_pieces_is_refused(
        self, house: House, acme: tables.Organization
    ) -> None:
        body = Endless()

        answer = house.caller(acme).ask(
            "PUT",
            "/settings",
            content_type="application/json",
            environ_overrides=in_pieces(body),
        )

        assert answer.status_code == 413
        assert body.given < 1024 * 1024

    def test_a_malformed_body_is_refused(
        self, house: House, acme: tables.Organization
    ) -> None:
        answer = house.caller(acme).ask(
            "PUT",
            "/settings",
            content_type="application/json",
            environ_overrides=in_pieces(Malformed()),
        )

        assert answer.status_code == 400
        assert answer.json["detail"] == "The body cannot be read."

    @pytest.mark.parametrize(
        "change",
        [
            {"task_types": {"Call": True}},
            {"include_all_day": True},
            {"window_past_days": 60},
            {"window_future_days": 30},
            {"import_private_events": True},
        ],
    )
    def test_a_change_of_scope_repairs_every_active_connection(
        self, house: House, acme: tables.Organization, change: dict[str, Any]
    ) -> None:
        active = [house.connection(acme, user_id) for user_id in ("u1", "u2")]
        house.connection(acme, "u3", state="paused")
        house.connection(house.organization("other"))

        house.caller(acme).put("/settings", change)

        queued = house.queued()
        jobs = house.caller(acme).get("/jobs").json["items"]
        assert [message.subject for message in queued] == [
            messages.ConnectionDue(connection_id=row.id) for row in active
        ]
        assert {(m.queue, m.trigger) for m in queued} == {
            (Queue.BACKFILL, Trigger.REPAIR)
        }
        assert {job["id"] for job in jobs} == {m.job_id for m in queued}
        assert {job["trigger"] for job in jobs} == {"repair"}

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"include_all_day": False},
            {"task_types": {"Call": False}},
            {"frequency": "hourly"},
            {"conflict_policy": "manual"},
            {"create_tasks_from_google": False},
            {"mass_deletion_limit": 1},
        ],
    )
    def test_other_changes_repair_nothing(
        self, house: House, acme: tables.Organization, change: dict[str, Any]
    ) -> None:
        house.connection(acme)

        house.caller(acme).put("/settings", change)

        assert house.queued() == []

    def test_channels_are_closed_by_a_worker_where_changes_wait_from_now_on(
        self, house: House, acme: tables.Organization
    ) -> None:
        with house.store.begin() as work:
            calendar = store_rows.add_calendar(
                work, work.connections.by_id(house.connection(acme).id)
            )
            work.channels.add(
                tables.Channel(
                    id="c1", calendar_id=calendar.id, state="open", created_at=NOW
                )
            )
            work.commit()

        house.caller(acme).put("/settings", {"frequency": "hourly"})

        (message,) = house.queued()
        assert message.subject == messages.WatchDue(calendar_id=calendar.id)

    @pytest.mark.parametrize("before", ["15min", "hourly", "manual"])
    def test_what_waited_is_synced_when_changes_are_followed_again(
        self, house: House, acme: tables.Organization, before: str
    ) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)
        caller.put("/settings", {"frequency": before})

        caller.put("/settings", {"frequency": "realtime"})

        (message,) = house.queued()
        assert message.subject == messages.ConnectionDue(connection_id=row.id)
        assert message.trigger is Trigger.REPAIR

    def test_a_change_whose_repairs_cannot_be_queued_is_taken_back(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme)
        caller = house.caller(acme)
        house.is_broker_down = True

        answer = caller.put("/settings", {"include_all_day": True})

        after = caller.get("/settings").json
        house.is_broker_down = False
        caller.put("/settings", {"include_all_day": True})
        assert answer.status_code == 503
        assert after == self.DEFAULTS
        assert len(house.queued()) == 1
