"""The table of links as it was, lost, and found again."""

import contextlib
import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from shared.adapters.store import tables
from shared.domain import errors, model
from shared.domain.messages import Trigger
from tests.unit.workers.world import World
from workers import rebuilding

WRITES = {
    "create_task",
    "update_task",
    "insert_event",
    "patch_event",
    "delete_event",
}


def links(world: World) -> Sequence[tables.Link]:
    """Return the links, by their tasks."""
    with world.store.read() as work:
        found = [
            work.links.of_task(world.organization.id, task_id)
            for task_id in sorted(work.links.task_ids(world.organization.id))
        ]
    return [link for link in found if link is not None]


def lose_links(world: World, *more: str) -> None:
    """Empty the table of links, and others, as an accident does: behind our back."""
    path = world.store.engine.url.database or ""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for table in ("links", *more):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    with world.store.read() as work:
        assert work.links.task_ids(world.organization.id) == set()


def lose_link(world: World, task_id: str) -> None:
    """Lose one link."""
    with world.store.engine.begin() as connection:
        values = {"task": task_id}
        where = "(SELECT id FROM links WHERE task_id = :task)"
        for statement in (
            f"UPDATE copies SET link_id = NULL WHERE link_id IN {where}",  # noqa: S608
            "DELETE FROM links WHERE task_id = :task",
        ):
            connection.execute(text(statement), values)


def rebuild(world: World) -> rebuilding.Report:
    """Rebuild the links."""
    return rebuilding.rebuild(world.services, world.organization)


def writes(world: World) -> list[str]:
    """Return the writes to either side since the calls were last forgotten."""
    sides = [world.crm_side, *world.accounts.values()]
    return [call for side in sides for call in side.calls if call in WRITES]


def sync_everybody(world: World) -> None:
    """Bring all connections in step, and poll both sides."""
    with world.store.read() as work:
        active = work.connections.active_of(world.organization.id)
    for connection in active:
        world.sync_all(connection.id, Trigger.REPAIR)
    world.poll()


def essence(link: tables.Link) -> tuple[object, ...]:
    """Return what a link is about, without its times."""
    baseline = dict(link.baseline or {})
    return (
        link.task_id,
        link.event_id,
        link.calendar_id,
        link.ical_uid,
        link.original_start,
        link.origin,
        link.generation,
        link.state,
        baseline.get("meeting"),
    )


def outage() -> errors.RemoteUnavailableError:
    """Return what a call raises while a side is away."""
    return errors.RemoteUnavailableError()


def times(day: str, hour: int = 10) -> dict[str, Any]:
    """Return when an event is, an hour long."""
    return {
        "start": {"dateTime": f"{day}T{hour:02}:00:00Z", "timeZone": "UTC"},
        "end": {"dateTime": f"{day}T{hour + 1:02}:00:00Z", "timeZone": "UTC"},
    }


def titles(documents: Sequence[model.Document], name: str) -> list[str]:
    """Return the titles of tasks or events, sorted."""
    return sorted(document[name] for document in documents)
