"""The settings document."""

import json
from datetime import timedelta

import pytest

from shared.domain.settings import (
    ConflictPolicy,
    Frequency,
    GuestNotifications,
    Settings,
    SettingsError,
)

CONTRACT = """
{"frequency": "realtime",
 "task_types": {"Meeting": true, "Call": false},
 "create_tasks_from_google": true,
 "include_all_day": false,
 "default_task_type": "Meeting",
 "default_duration_minutes": {"Meeting": 60, "Call": 30},
 "conflict_policy": "last_modified_wins",
 "merge_disjoint_edits": false,
 "guest_notifications": "none",
 "import_private_events": false,
 "window_past_days": 30, "window_future_days": 90,
 "mass_deletion_limit": 25}
"""
"""The document of the contract, with its defaults."""


def test_the_defaults_are_the_contracts() -> None:
    document = json.loads(json.dumps(Settings().to_document()))

    assert document == json.loads(CONTRACT)


def test_an_empty_document_means_the_defaults() -> None:
    assert Settings.from_document({}) == Settings()


def test_the_whole_document_is_read() -> None:
    assert Settings.from_document(json.loads(CONTRACT)) == Settings()


def test_what_a_document_names_is_set() -> None:
    document = {
        "frequency": "15min",
        "conflict_policy": "manual",
        "guest_notifications": "external",
        "task_types": {"To-do": True},
        "default_task_type": "To-do",
        "mass_deletion_limit": 0,
    }

    settings = Settings.from_document(document)

    assert settings == Settings(
        frequency=Frequency.QUARTER_HOURLY,
        conflict_policy=ConflictPolicy.MANUAL,
        guest_notifications=GuestNotifications.EXTERNAL,
        task_types={"To-do": True},
        default_task_type="To-do",
        mass_deletion_limit=0,
    )


def test_a_document_is_read_as_it_was_written() -> None:
    settings = Settings(
        frequency=Frequency.HOURLY,
        task_types={"Meeting": True, "Call": True},
        conflict_policy=ConflictPolicy.GOOGLE_WINS,
        merge_disjoint_edits=True,
    )

    assert Settings.from_document(settings.to_document()) == settings


def test_a_document_that_is_given_out_is_not_the_settings_own() -> None:
    settings = Settings()

    settings.to_document()["task_types"]["Meeting"] = False

    assert settings.is_synced("Meeting")


def test_fields_of_a_later_release_are_ignored() -> None:
    assert Settings.from_document({"shiny": True}) == Settings()


@pytest.mark.parametrize(
    "task_types",
    [{"Meeting": False}, {"Call": True}, {}],
    ids=["off", "absent", "none"],
)
def test_the_default_type_must_be_switched_on(task_types: dict[str, bool]) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_document({"task_types": task_types})

    sentence = "the type Meeting is switched off"
    assert refused.value.problems == {"default_task_type": sentence}
    assert str(refused.value) == f"default_task_type: {sentence}"


@pytest.mark.parametrize(
    "name", ["frequency", "conflict_policy", "guest_notifications"]
)
def test_an_unknown_choice_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="whatever"):
        Settings.from_document({name: "whatever"})


@pytest.mark.parametrize(
    ("task_type", "is_synced"), [("Meeting", True), ("Call", False), ("To-do", False)]
)
def test_only_types_that_are_switched_on_are_synced(
    task_type: str, *, is_synced: bool
) -> None:
    assert Settings().is_synced(task_type) is is_synced


@pytest.mark.parametrize(
    ("task_type", "minutes"), [("Meeting", 60), ("Call", 30), ("To-do", 60)]
)
def test_every_type_has_a_default_duration(task_type: str, minutes: int) -> None:
    assert Settings().default_duration(task_type) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("choice", "parameter"),
    [("none", "none"), ("external", "externalOnly"), ("all", "all")],
)
def test_guest_notifications_are_googles_send_updates(
    choice: str, parameter: str
) -> None:
    assert GuestNotifications(choice).send_updates == parameter
