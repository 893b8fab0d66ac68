"""Which events become tasks, and why the others do not."""

from typing import Any

import pytest

from shared.adapters.store.states import Outcome
from shared.domain.messages import Trigger
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

DAY: dict[str, Any] = {"start": {"date": "2026-03-04"}, "end": {"date": "2026-03-05"}}
ME = {"email": "ann@gmail.com", "self": True}
LEFT_ALONE: list[tuple[dict[str, Any], Reason]] = [
    ({"visibility": "private"}, Reason.PRIVATE_EVENT),
    ({"visibility": "confidential"}, Reason.PRIVATE_EVENT),
    ({"eventType": "outOfOffice"}, Reason.EVENT_TYPE),
    ({"eventType": "birthday"}, Reason.EVENT_TYPE),
    ({"attendees": [{**ME, "responseStatus": "declined"}]}, Reason.DECLINED),
    (DAY, Reason.ALL_DAY_SWITCHED_OFF),
    ({"status": "cancelled"}, Reason.NOTHING_TO_CANCEL),
]


@pytest.mark.parametrize(("fields", "reason"), LEFT_ALONE)
def test_some_events_are_left_alone_and_the_history_says_why(
    world: World, fields: dict[str, Any], reason: Reason
) -> None:
    world.add_event(**fields)

    world.settle()

    assert world.crm_side.live_tasks() == []
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.SKIPPED, reason)
    assert item.event_id == "fromgoogle"


def test_nothing_is_imported_where_that_is_switched_off(world: World) -> None:
    world.settings(create_tasks_from_google=False)

    world.add_event()
    world.settle()

    assert world.crm_side.live_tasks() == []
    assert world.last_item().reason == Reason.IMPORT_SWITCHED_OFF


def test_a_linked_event_is_followed_though_importing_is_switched_off(
    world: World,
) -> None:
    world.settings(create_tasks_from_google=False)
    world.add_task()
    world.settle()

    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.settle()

    assert world.only_task()["title"] == "Plan B"


def test_an_all_day_event_is_imported_where_that_is_wished(world: World) -> None:
    world.settings(include_all_day=True)

    world.add_event(**DAY)
    world.settle()

    task = world.only_task()
    assert (task["due_date"], task["duration_days"]) == ("2026-03-04", 1)
    assert task["due_at"] is None


def test_an_event_made_from_a_mail_is_imported(world: World) -> None:
    world.add_event(eventType="fromGmail")

    world.settle()

    assert world.only_task()["title"] == "Lunch"


def test_the_task_has_the_type_that_the_settings_name(world: World) -> None:
    world.settings(default_task_type="Call", task_types={"Call": True})

    world.add_event()
    world.settle()

    assert world.only_task()["type"] == "Call"


def test_an_event_left_alone_is_imported_when_it_is_declared_public(
    world: World,
) -> None:
    world.add_event(visibility="private")
    world.settle()

    world.edit_event("fromgoogle", visibility="default")
    world.settle()

    assert world.only_task()["title"] == "Lunch"


def test_an_event_left_alone_is_imported_by_the_repair_after_the_setting_changed(
    world: World,
) -> None:
    world.add_event(**DAY)
    world.settle()

    world.settings(include_all_day=True)
    world.sync_all(world.connection().id, Trigger.REPAIR)

    assert world.only_task()["due_date"] == "2026-03-04"


def test_an_untitled_event_gives_its_task_a_title_that_google_never_sees(
    world: World,
) -> None:
    world.add_event(summary="")
    world.settle()

    world.edit_task(world.only_task()["id"], location="Room 3")
    world.settle()

    assert world.only_task()["title"] == "(No title)"
    event = world.only_event()
    assert (event["summary"], event["location"]) == ("", "Room 3")
