"""Private events: the CRM learns when they are, and nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.adapters.store.states import LinkState
from shared.domain import model
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

DETAILS: dict[str, Any] = {
    "summary": "Job interview",
    "description": "With the competitor",
    "location": "Their office",
    "attendees": [{"email": "eve@x.example"}],
}


def _shown(task: model.Document) -> tuple[object, ...]:
    return tuple(task[f] for f in ("title", "description", "location", "attendees"))


REDACTED: tuple[object, ...] = ("Private", None, None, [])


@pytest.fixture
def private_world(world: World) -> World:
    """Return a world in which private events are imported."""
    world.settings(import_private_events=True)
    return world


@pytest.mark.parametrize("visibility", ["private", "confidential"])
def test_they_are_imported_without_details(
    private_world: World, visibility: str
) -> None:
    private_world.add_event(**DETAILS, visibility=visibility)

    private_world.settle()

    task = private_world.only_task()
    assert _shown(task) == REDACTED
    due_at = datetime.fromisoformat(task["due_at"])
    assert due_at == datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_one_that_turns_private_is_redacted(world: World) -> None:
    world.add_event(**DETAILS)
    world.settle()

    world.edit_event("fromgoogle", visibility="private")
    world.settle()

    assert _shown(world.only_task()) == REDACTED


def test_one_that_turns_public_shows_its_details(private_world: World) -> None:
    private_world.add_event(**DETAILS, visibility="private")
    private_world.settle()

    private_world.edit_event("fromgoogle", visibility="default")
    private_world.settle()

    assert private_world.only_task()["title"] == "Job interview"


def test_one_that_moves_takes_its_task_along(private_world: World) -> None:
    private_world.add_event(**DETAILS, visibility="private")
    private_world.settle()
    moved = {"dateTime": "2026-03-05T09:00:00Z", "timeZone": "UTC"}
    end = {"dateTime": "2026-03-05T10:00:00Z", "timeZone": "UTC"}

    private_world.edit_event("fromgoogle", start=moved, end=end)
    private_world.settle()

    task = private_world.only_task()
    due_at = datetime.fromisoformat(task["due_at"])
    assert due_at == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert _shown(task) == REDACTED


def test_an_edit_of_the_task_is_never_written_to_google(private_world: World) -> None:
    private_world.add_event(**DETAILS, visibility="private")
    private_world.settle()
    before = private_world.only_event()

    private_world.edit_task(private_world.only_task()["id"], title="Mine")
    private_world.settle()

    assert private_world.only_event() == before
    assert private_world.only_task()["title"] == "Private"


def test_the_history_knows_no_details(private_world: World) -> None:
    private_world.add_event(**DETAILS, visibility="private")
    private_world.settle()

    told = str([(item.google, item.changes) for item in private_world.items()])

    assert "interview" not in told
    assert "competitor" not in told


def test_another_owner_of_the_task_does_not_get_the_event(
    private_world: World,
) -> None:
    private_world.add_event(**DETAILS, visibility="private")
    private_world.settle()

    private_world.edit_task(private_world.only_task()["id"], owner_id="ben")
    private_world.settle()

    assert private_world.ben.live_events() == []
    assert private_world.only_event()["summary"] == "Job interview"
    assert private_world.only_link().state == LinkState.DETACHED
    assert private_world.last_item().reason == Reason.PRIVATE_EVENT


def test_an_event_of_ours_that_its_user_hides_leaves_the_task_as_it_is(
    world: World,
) -> None:
    world.add_task()
    world.settle()

    world.edit_event(world.only_event()["id"], visibility="private")
    world.settle()

    assert world.only_task()["title"] == "Plan"
