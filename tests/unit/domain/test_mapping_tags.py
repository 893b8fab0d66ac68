"""Tags: the private extended properties by which an event names its task."""

import pytest

from shared.domain import mapping
from shared.domain.model import Field, TaskId
from tests.unit.domain.records import (
    TAG,
    event,
    event_body,
    event_patch,
    meeting,
)

PROPERTIES = {"private": {"crmTaskId": "task-1", "crmOrganization": "acme"}}
TITLE = frozenset({Field.TITLE})


def test_a_new_event_names_its_id_task_and_organization() -> None:
    body = event_body(meeting())

    assert body["id"] == "abc123"
    assert body["extendedProperties"] == PROPERTIES


def test_an_event_tells_whose_it_is() -> None:
    tagged = event(extendedProperties=PROPERTIES)

    assert (tagged.task_id, tagged.organization) == ("task-1", "acme")


@pytest.mark.parametrize(
    "properties", [None, {}, {"shared": {"crmTaskId": "task-1"}}, {"private": {}}]
)
def test_an_event_without_private_properties_is_nobodys(
    properties: dict[str, object] | None,
) -> None:
    untagged = event(extendedProperties=properties)

    assert (untagged.task_id, untagged.organization) == (None, None)


@pytest.mark.parametrize(
    "properties",
    [
        None,
        {"private": {"crmTaskId": "task-2", "crmOrganization": "acme"}},
        {"private": {"crmTaskId": "task-1", "crmOrganization": "other"}},
        {"private": {"crmTaskId": "task-1"}},
    ],
    ids=["untagged", "another task's", "another organization's", "half"],
)
def test_the_first_write_tags_an_event_that_is_not_ours_yet(
    properties: dict[str, object] | None,
) -> None:
    imported = event(extendedProperties=properties)

    body = event_patch(imported, meeting("Dinner"), TITLE, tag=TAG)

    assert body == {"summary": "Dinner", "extendedProperties": PROPERTIES}


def test_an_event_that_is_tagged_is_not_tagged_again() -> None:
    tagged = event(extendedProperties=PROPERTIES)

    body = event_patch(tagged, meeting("Dinner"), TITLE, tag=TAG)

    assert body == {"summary": "Dinner"}


def test_an_event_is_not_tagged_unless_told_to() -> None:
    body = event_patch(event(), meeting("Dinner"), TITLE, tag=None)

    assert body == {"summary": "Dinner"}


def test_tags_are_equal_by_what_they_say() -> None:
    assert mapping.Tag(task_id=TaskId("task-1"), organization="acme") == TAG
