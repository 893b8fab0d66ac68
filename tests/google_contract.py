"""What every `ports.GoogleCalendar` must do, the fake and the real adapter alike."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from shared.domain import errors, ports
from shared.domain.model import Document


class GoogleWorld(Protocol):
    """An account to act as, and what only its surroundings can do."""

    google: ports.GoogleCalendar
    calendar_id: str

    def expire_sync_tokens(self) -> None:
        """Make Google forget all sync tokens."""

    def lose_next_answer(self) -> None:
        """Make Google carry out the next write and answer nothing usable."""


def event(**fields: object) -> dict[str, Any]:
    """Return the body of a new event with an id of its own."""
    return {
        "id": uuid.uuid4().hex,
        "summary": "Kick-off",
        "start": {"dateTime": "2026-11-24T10:00:00Z", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-11-24T11:00:00Z", "timeZone": "Europe/Berlin"},
        **fields,
    }


def inserted(world: GoogleWorld, **fields: object) -> Document:
    """Insert an event and return it."""
    return world.google.insert_event(
        world.calendar_id, event(**fields), send_updates="none"
    )


def patched(
    world: GoogleWorld, event_id: str, body: Document, etag: str | None = None
) -> Document:
    """Patch an event and return it."""
    return world.google.patch_event(
        world.calendar_id, event_id, body, etag=etag, send_updates="none"
    )


def delete(world: GoogleWorld, event_id: str, etag: str | None = None) -> None:
    """Delete an event."""
    world.google.delete_event(
        world.calendar_id, event_id, etag=etag, send_updates="none"
    )


def sync_token(world: GoogleWorld) -> str:
    """List in full and return the token of this moment."""
    page = world.google.list_events(world.calendar_id)
    while page.next_page_token:
        page = world.google.list_events(
            world.calendar_id, page_token=page.next_page_token
        )
    return str(page.next_sync_token)


def changes(world: GoogleWorld, token: str) -> dict[str, Document]:
    """Return the events changed since a token, by id."""
    page = world.google.list_events(world.calendar_id, sync_token=token)
    return {row["id"]: row for row in page.events}


def watched(world: GoogleWorld, channel_id: str) -> ports.WatchGrant:
    """Open a channel for an hour."""
    return world.google.watch(
        world.calendar_id,
        channel_id=channel_id,
        token=f"signature of {channel_id}",
        ttl=timedelta(hours=1),
    )


class GoogleCalendarContract:
    """Subclasses provide the fixture `world`."""

    def test_an_inserted_event_is_found_under_its_own_id(
        self, world: GoogleWorld
    ) -> None:
        body = event(description="Agenda", location="Room 1")

        world.google.insert_event(world.calendar_id, body, send_updates="none")

        found = world.google.get_event(world.calendar_id, body["id"])
        assert found["summary"] == "Kick-off"
        assert found["description"] == "Agenda"
        assert found["status"] == "confirmed"
        assert found["iCalUID"] == f"{body['id']}@google.com"

    def test_an_id_is_taken_by_a_living_event(self, world: GoogleWorld) -> None:
        made = inserted(world)

        with pytest.raises(errors.DuplicateRecordError):
            inserted(world, id=made["id"])

    def test_an_id_stays_taken_by_a_deleted_event(self, world: GoogleWorld) -> None:
        made = inserted(world)
        delete(world, made["id"])

        with pytest.raises(errors.DuplicateRecordError):
            inserted(world, id=made["id"])

    def test_an_id_outside_base32hex_is_rejected(self, world: GoogleWorld) -> None:
        with pytest.raises(errors.RemoteRejectedError):
            inserted(world, id="xyz-not-base32hex")

    def test_a_patch_changes_the_fields_it_names_and_no_others(
        self, world: GoogleWorld
    ) -> None:
        made = inserted(world, description="Agenda", location="Room 1")

        body = {"summary": "Moved", "location": None}
        answer = patched(world, made["id"], body, etag=made["etag"])

        assert answer["summary"] == "Moved"
        assert answer["description"] == "Agenda"
        assert "location" not in answer
        assert answer["etag"] != made["etag"]

    def test_a_patch_merges_extended_properties_by_key(
        self, world: GoogleWorld
    ) -> None:
        made = inserted(world, extendedProperties={"private": {"crmTaskId": "7"}})

        body = {"extendedProperties": {"private": {"crmOrganization": "acme"}}}
        answer = patched(world, made["id"], body)

        private = answer["extendedProperties"]["private"]
        assert private == {"crmTaskId": "7", "crmOrganization": "acme"}

    def test_a_patch_of_an_old_version_changes_nothing(
        self, world: GoogleWorld
    ) -> None:
        made = inserted(world)
        patched(world, made["id"], {"summary": "Newer"})

        with pytest.raises(errors.VersionMismatchError):
            patched(world, made["id"], {"summary": "Older"}, etag=made["etag"])

        found = world.google.get_event(world.calendar_id, made["id"])
        assert found["summary"] == "Newer"

    def test_a_patch_of_an_unknown_event_finds_nothing(
        self, world: GoogleWorld
    ) -> None:
        with pytest.raises(errors.RecordNotFoundError):
            patched(world, uuid.uuid4().hex, {"summary": "Nobody's"})

    def test_a_deleted_event_can_still_be_read(self, world: GoogleWorld) -> None:
        made = inserted(world)

        delete(world, made["id"], etag=made["etag"])

        found = world.google.get_event(world.calendar_id, made["id"])
        assert found["status"] == "cancelled"

    def test_deleting_twice_says_that_it_was_deleted(self, world: GoogleWorld) -> None:
        made = inserted(world)
        delete(world, made["id"])

        with pytest.raises(errors.RecordDeletedError):
            delete(world, made["id"])

    def test_an_old_version_is_not_deleted(self, world: GoogleWorld) -> None:
        made = inserted(world)
        patched(world, made["id"], {"summary": "Newer"})

        with pytest.raises(errors.VersionMismatchError):
            delete(world, made["id"], etag=made["etag"])

        found = world.google.get_event(world.calendar_id, made["id"])
        assert found["status"] == "confirmed"

    def test_a_deleted_event_is_not_changed_without_reviving_it(
        self, world: GoogleWorld
    ) -> None:
        made = inserted(world)
        delete(world, made["id"])

        with pytest.raises(errors.RemoteRejectedError):
            patched(world, made["id"], {"summary": "Ghost"})

    def test_a_deleted_event_is_revived_by_its_status(self, world: GoogleWorld) -> None:
        made = inserted(world)
        delete(world, made["id"])

        answer = patched(
            world, made["id"], {"status": "confirmed", "summary": "Back again"}
        )

        assert answer["status"] == "confirmed"
        assert answer["summary"] == "Back again"

    def test_an_unknown_event_is_not_found(self, world: GoogleWorld) -> None:
        with pytest.raises(errors.RecordNotFoundError):
            world.google.get_event(world.calendar_id, uuid.uuid4().hex)

    def test_an_unknown_calendar_is_not_found(self, world: GoogleWorld) -> None:
        with pytest.raises(errors.RecordNotFoundError):
            world.google.list_events("nobody@group.calendar.google.com")

    def test_a_full_list_has_what_lives_and_what_was_deleted(
        self, world: GoogleWorld
    ) -> None:
        alive, dead = inserted(world), inserted(world)
        delete(world, dead["id"])

        page = world.google.list_events(world.calendar_id)

        status = {row["id"]: row["status"] for row in page.events}
        assert status[alive["id"]] == "confirmed"
        assert status[dead["id"]] == "cancelled"
        assert page.next_sync_token is not None
        assert page.next_page_token is None
        assert page.access_role == "owner"

    def test_a_sync_token_gives_what_changed_since_and_nothing_else(
        self, world: GoogleWorld
    ) -> None:
        untouched, edited, deleted = (inserted(world) for _ in range(3))
        token = sync_token(world)
        patched(world, edited["id"], {"summary": "Edited"})
        delete(world, deleted["id"])
        made = inserted(world)

        changed = changes(world, token)

        assert changed.keys() == {edited["id"], deleted["id"], made["id"]}
        assert untouched["id"] not in changed
        assert changed[edited["id"]]["summary"] == "Edited"
        assert changed[deleted["id"]]["status"] == "cancelled"

    def test_nothing_has_changed_since_a_token_of_this_moment(
        self, world: GoogleWorld
    ) -> None:
        inserted(world)

        changed = changes(world, sync_token(world))

        assert changed == {}

    def test_an_old_token_that_is_still_known_can_be_used_again(
        self, world: GoogleWorld
    ) -> None:
        token = sync_token(world)
        made = inserted(world)

        first, second = changes(world, token), changes(world, token)

        assert first.keys() == second.keys() == {made["id"]}

    def test_an_expired_token_asks_for_a_full_list(self, world: GoogleWorld) -> None:
        token = sync_token(world)
        world.expire_sync_tokens()

        with pytest.raises(errors.SyncTokenExpiredError):
            world.google.list_events(world.calendar_id, sync_token=token)

        assert changes(world, sync_token(world)) == {}

    def test_a_window_goes_only_with_a_full_list(self, world: GoogleWorld) -> None:
        token = sync_token(world)

        with pytest.raises(errors.RemoteRejectedError):
            world.google.list_events(
                world.calendar_id,
                sync_token=token,
                time_min=datetime(2026, 1, 1, tzinfo=UTC),
            )

    def test_a_window_leaves_out_what_ended_before(self, world: GoogleWorld) -> None:
        made = inserted(world)
        ended_at = datetime(2026, 11, 24, 11, tzinfo=UTC)

        before = world.google.list_events(
            world.calendar_id, time_min=ended_at - timedelta(minutes=1)
        )
        after = world.google.list_events(world.calendar_id, time_min=ended_at)

        assert made["id"] in {row["id"] for row in before.events}
        assert made["id"] not in {row["id"] for row in after.events}

    def test_an_insert_without_an_answer_took_effect_once(
        self, world: GoogleWorld
    ) -> None:
        body = event()
        world.lose_next_answer()

        # The library may have found out by itself, by sending it again.
        with pytest.raises(
            (errors.RemoteUnavailableError, errors.DuplicateRecordError)
        ):
            world.google.insert_event(world.calendar_id, body, send_updates="none")

        found = world.google.get_event(world.calendar_id, body["id"])
        assert found["status"] == "confirmed"

    def test_a_patch_without_an_answer_shows_as_a_newer_version(
        self, world: GoogleWorld
    ) -> None:
        made = inserted(world)
        world.lose_next_answer()
        with pytest.raises(
            (errors.RemoteUnavailableError, errors.VersionMismatchError)
        ):
            patched(world, made["id"], {"summary": "Once"}, etag=made["etag"])

        with pytest.raises(errors.VersionMismatchError):
            patched(world, made["id"], {"summary": "Once"}, etag=made["etag"])

        found = world.google.get_event(world.calendar_id, made["id"])
        assert found["summary"] == "Once"

    def test_a_channel_is_granted_for_no_longer_than_asked(
        self, world: GoogleWorld
    ) -> None:
        asked_at = datetime.now(UTC)

        grant = watched(world, uuid.uuid4().hex)

        assert grant.resource_id
        assert grant.expires_at > asked_at
        assert grant.expires_at <= datetime.now(UTC) + timedelta(hours=1, seconds=1)

    def test_a_channel_id_is_good_for_one_channel(self, world: GoogleWorld) -> None:
        channel_id = uuid.uuid4().hex
        watched(world, channel_id)

        with pytest.raises(errors.RemoteRejectedError):
            watched(world, channel_id)

    def test_stopping_a_stopped_channel_is_no_error(self, world: GoogleWorld) -> None:
        channel_id = uuid.uuid4().hex
        grant = watched(world, channel_id)

        world.google.stop_channel(channel_id, grant.resource_id)
        world.google.stop_channel(channel_id, grant.resource_id)

    def test_the_account_owns_exactly_one_primary_calendar(
        self, world: GoogleWorld
    ) -> None:
        entries = world.google.list_calendars()

        primary = [entry for entry in entries if entry.is_primary]
        assert [entry.id for entry in primary] == [world.calendar_id]
        assert primary[0].access_role == "owner"

    def test_clocks_that_agree_show_no_skew(self, world: GoogleWorld) -> None:
        world.google.list_calendars()

        skew = world.google.clock_skew()

        assert skew is not None
        assert abs(skew) < timedelta(seconds=1)
