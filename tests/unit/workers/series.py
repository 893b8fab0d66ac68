"""The weekly meeting that the stories about series are told of."""

from datetime import UTC, datetime
from typing import Any, cast

from shared.domain import model
from tests.fakes import SimulatedAccount
from tests.unit.workers.world import World

WEEKLY = "RRULE:FREQ=WEEKLY"
FIRST = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
THIRD = datetime(2026, 3, 17, 9, 0, tzinfo=UTC)


def add_series(
    world: World,
    name: str = "ann",
    *,
    day: str = "2026-03-03",
    **fields: Any,  # noqa: ANN401 - any field
) -> None:
    """Create a meeting on Tuesdays at 10:00 in Berlin, and let it be synced."""
    times = {
        side: {"dateTime": f"{day}T{hour}:00", "timeZone": "Europe/Berlin"}
        for side, hour in (("start", "10:00"), ("end", "10:15"))
    }
    series = {"summary": "Standup", "recurrence": [WEEKLY], **times, **fields}
    world.add_event("standup", name, **series)
    world.settle()


def occurrence(start: datetime) -> str:
    """Return the event id of the occurrence that was to start then."""
    return f"standup_{start:%Y%m%dT%H%M%SZ}"


def account(world: World) -> SimulatedAccount:
    """Return Ann's account, which can do what only the web page does."""
    return cast("SimulatedAccount", world.ann)


def tasks(world: World) -> list[model.Document]:
    """Return the tasks that are not deleted, by their start."""
    return sorted(world.crm_side.live_tasks(), key=_day)


def task_at(world: World, start: datetime) -> model.Document:
    """Return the task of the occurrence that was to start then."""
    wanted = occurrence(start)
    (task,) = [t for t in tasks(world) if t["google_event_id"] == wanted]
    return task


def at(task: model.Document) -> datetime:
    """Return when a task starts."""
    return datetime.fromisoformat(task["due_at"]).astimezone(UTC)


def titles(world: World) -> list[str]:
    """Return the titles of the tasks, by their start."""
    return [task["title"] for task in tasks(world)]


def statuses(world: World) -> list[str]:
    """Return the states of the tasks, by their start."""
    return [task["status"] for task in tasks(world)]


def _day(task: model.Document) -> str:
    return str(task["due_at"] or task["due_date"])
