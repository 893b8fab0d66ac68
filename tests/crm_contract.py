"""What every `ports.Crm` must do, the fake and the real adapter alike."""

import contextlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from shared.domain import errors, ports
from shared.domain.model import Document


class CrmWorld(Protocol):
    """An organization's CRM, and what only its surroundings can do."""

    crm: ports.Crm
    user_id: str

    def delete_task(self, task_id: str) -> None:
        """Delete a task, as a user would."""

    def notifications(self, user_id: str) -> Sequence[str]:
        """Return the titles of the messages that a user sees."""

    def lose_next_answer(self) -> None:
        """Make the CRM carry out the next write and answer nothing usable."""


def body(world: CrmWorld, **fields: object) -> dict[str, Any]:
    """Return the body of a new task."""
    return {
        "type": "Meeting",
        "title": "Kick-off",
        "owner_id": world.user_id,
        "due_at": "2026-11-24T10:00:00+00:00",
        "duration_minutes": 60,
        **fields,
    }


def created(world: CrmWorld, **fields: object) -> Document:
    """Create a task and return it."""
    return world.crm.create_task(
        body(world, **fields), idempotency_key=uuid.uuid4().hex
    )


def listed(world: CrmWorld, **query: Any) -> dict[str, Document]:  # noqa: ANN401 - any of the filters
    """Return the tasks on all pages, by id."""
    found: dict[str, Document] = {}
    cursor: str | None = None
    while True:
        page = world.crm.list_tasks(**query, cursor=cursor)
        found |= {task["id"]: task for task in page.tasks}
        cursor = page.next_cursor
        if cursor is None:
            return found


class CrmContract:
    """Subclasses provide the fixture `world`."""

    def test_a_created_task_can_be_read(self, world: CrmWorld) -> None:
        made = created(world, location="Room 1")

        found = world.crm.get_task(made["id"])

        assert found == made
        assert found["version"] == 1
        assert found["status"] == "open"
        assert found["location"] == "Room 1"
        assert found["deleted"] is False

    def test_a_key_creates_one_task_however_often_it_comes(
        self, world: CrmWorld
    ) -> None:
        key = uuid.uuid4().hex

        first = world.crm.create_task(body(world), idempotency_key=key)
        second = world.crm.create_task(body(world), idempotency_key=key)

        assert second["id"] == first["id"]

    @pytest.mark.parametrize("missing", ["type", "title", "owner_id"])
    def test_a_task_lacking_what_it_needs_is_rejected(
        self, world: CrmWorld, missing: str
    ) -> None:
        incomplete = body(world)
        del incomplete[missing]

        with pytest.raises(errors.RemoteRejectedError, match=missing):
            world.crm.create_task(incomplete, idempotency_key=uuid.uuid4().hex)

    def test_a_change_leaves_the_other_fields_and_raises_the_version(
        self, world: CrmWorld
    ) -> None:
        made = created(world, description="Agenda")

        changed = world.crm.update_task(made["id"], {"title": "Moved"}, version=1)

        assert changed["title"] == "Moved"
        assert changed["description"] == "Agenda"
        assert changed["version"] == 2

    def test_a_change_that_changes_nothing_keeps_the_version(
        self, world: CrmWorld
    ) -> None:
        made = created(world)

        changed = world.crm.update_task(made["id"], {"title": "Kick-off"}, version=1)

        assert changed["version"] == 1

    def test_a_change_of_an_old_version_is_refused_with_the_present_one(
        self, world: CrmWorld
    ) -> None:
        made = created(world)
        newer = world.crm.update_task(made["id"], {"title": "Newer"}, version=1)

        with pytest.raises(errors.VersionMismatchError) as refusal:
            world.crm.update_task(made["id"], {"title": "Older"}, version=1)

        assert refusal.value.current == newer
        assert world.crm.get_task(made["id"]) == newer

    def test_a_task_is_timed_or_all_day_but_not_both(self, world: CrmWorld) -> None:
        made = created(world)

        with pytest.raises(errors.RemoteRejectedError):
            world.crm.update_task(made["id"], {"due_date": "2026-11-24"}, version=1)

        all_day = {"due_at": None, "due_date": "2026-11-24"}
        changed = world.crm.update_task(made["id"], all_day, version=1)
        assert changed["due_at"] is None
        assert changed["due_date"] == "2026-11-24"

    def test_a_deleted_task_can_be_read_but_not_changed(self, world: CrmWorld) -> None:
        made = created(world)
        world.delete_task(made["id"])

        found = world.crm.get_task(made["id"])
        with pytest.raises(errors.RecordDeletedError):
            world.crm.update_task(
                made["id"], {"title": "Ghost"}, version=found["version"]
            )

        assert found["deleted"] is True

    def test_an_unknown_task_is_not_found(self, world: CrmWorld) -> None:
        with pytest.raises(errors.RecordNotFoundError):
            world.crm.get_task("nobody's")
        with pytest.raises(errors.RecordNotFoundError):
            world.crm.update_task("nobody's", {"title": "Ghost"}, version=1)

    def test_an_event_belongs_to_one_living_task(self, world: CrmWorld) -> None:
        event_id = uuid.uuid4().hex
        holder = created(world, google_event_id=event_id)

        with pytest.raises(errors.DuplicateRecordError) as refusal:
            created(world, google_event_id=event_id)

        assert refusal.value.existing_id == holder["id"]

    def test_a_deleted_task_frees_its_event(self, world: CrmWorld) -> None:
        event_id = uuid.uuid4().hex
        world.delete_task(created(world, google_event_id=event_id)["id"])

        heir = created(world, google_event_id=event_id)

        assert heir["google_event_id"] == event_id

    def test_deleted_tasks_are_listed_as_changes_only(self, world: CrmWorld) -> None:
        made = created(world)
        world.delete_task(made["id"])
        since = datetime.fromisoformat(made["updated_at"])

        changed = listed(world, updated_since=since)
        present = listed(world)

        assert changed[made["id"]]["deleted"] is True
        assert made["id"] not in present

    def test_changes_are_listed_from_an_instant_on_inclusively(
        self, world: CrmWorld
    ) -> None:
        made = created(world)
        at = datetime.fromisoformat(made["updated_at"])

        found = listed(world, updated_since=at)
        later = listed(world, updated_since=at + timedelta(seconds=1))

        assert made["id"] in found
        assert made["id"] not in later

    def test_tasks_are_listed_oldest_change_first(self, world: CrmWorld) -> None:
        first, second = created(world), created(world)
        world.crm.update_task(first["id"], {"title": "Later"}, version=1)
        since = datetime.fromisoformat(first["updated_at"])

        page = world.crm.list_tasks(updated_since=since)

        moments = [(task["updated_at"], task["id"]) for task in page.tasks]
        assert moments == sorted(moments)
        assert {first["id"], second["id"]} <= {task["id"] for task in page.tasks}

    def test_tasks_are_found_by_their_event(self, world: CrmWorld) -> None:
        event_id = uuid.uuid4().hex
        made = created(world, google_event_id=event_id)
        created(world)

        found = listed(world, google_event_id=event_id)

        assert found.keys() == {made["id"]}

    def test_tasks_are_found_by_owner_and_day(self, world: CrmWorld) -> None:
        inside = created(world, due_at="2031-05-10T12:00:00+00:00")
        outside = created(world, due_at="2031-05-12T12:00:00+00:00")

        found = listed(
            world,
            owner_id=world.user_id,
            due_from=datetime(2031, 5, 10, tzinfo=UTC),
            due_to=datetime(2031, 5, 11, tzinfo=UTC),
        )

        assert inside["id"] in found
        assert outside["id"] not in found
        assert listed(world, owner_id="nobody") == {}

    def test_a_creation_without_an_answer_took_effect_once(
        self, world: CrmWorld
    ) -> None:
        key, event_id = uuid.uuid4().hex, uuid.uuid4().hex
        task = body(world, google_event_id=event_id)
        world.lose_next_answer()

        # The adapter may have asked again by itself.
        with contextlib.suppress(errors.RemoteUnavailableError):
            world.crm.create_task(task, idempotency_key=key)
        made = world.crm.create_task(task, idempotency_key=key)

        assert listed(world, google_event_id=event_id).keys() == {made["id"]}

    def test_a_change_without_an_answer_shows_as_a_newer_version(
        self, world: CrmWorld
    ) -> None:
        made = created(world)
        world.lose_next_answer()
        with pytest.raises(errors.RemoteUnavailableError):
            world.crm.update_task(made["id"], {"title": "Once"}, version=1)

        with pytest.raises(errors.VersionMismatchError) as refusal:
            world.crm.update_task(made["id"], {"title": "Once"}, version=1)

        assert refusal.value.current is not None
        assert refusal.value.current["title"] == "Once"
        assert refusal.value.current["version"] == 2

    def test_the_users_are_listed(self, world: CrmWorld) -> None:
        users = {user.id: user for user in world.crm.list_users()}

        assert users[world.user_id].active
        assert "@" in users[world.user_id].email

    def test_a_second_message_with_a_key_replaces_the_first(
        self, world: CrmWorld
    ) -> None:
        key = uuid.uuid4().hex
        before = world.notifications(world.user_id)
        first, second = (
            ports.Notification(
                title=title, body="", link="https://sync.example.com/me", key=key
            )
            for title in ("Reconnect", "Reconnect now")
        )

        world.crm.notify(world.user_id, first)
        world.crm.notify(world.user_id, second)

        assert [*before, "Reconnect now"] == list(world.notifications(world.user_id))

    def test_clocks_that_agree_show_no_skew(self, world: CrmWorld) -> None:
        world.crm.list_users()

        skew = world.crm.clock_skew()

        assert skew is not None
        assert abs(skew) < timedelta(seconds=1)
