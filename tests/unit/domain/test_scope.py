"""Which tasks and events are synced at all."""

import pytest

from shared.domain import scope
from shared.domain.reasons import Reason
from shared.domain.settings import Settings
from tests.unit.domain.records import event, guest, task

ALL_DAY_TASK = {"due_at": None, "due_date": "2026-03-02"}
ALL_DAY_EVENT = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}
WITH_ALL_DAY = Settings(include_all_day=True)


# -- tasks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "settings", "reason"),
    [
        ({}, Settings(), None),
        ({"status": "completed"}, Settings(), None),
        ({"status": "cancelled"}, Settings(), None),
        ({"type": "Call"}, Settings(), Reason.TYPE_SWITCHED_OFF),
        ({"type": "Call"}, Settings(task_types={"Call": True}), None),
        ({"type": "To-do"}, Settings(), Reason.TYPE_SWITCHED_OFF),
        ({"due_at": None}, Settings(), Reason.NO_DUE_DATE),
        (ALL_DAY_TASK, Settings(), Reason.ALL_DAY_SWITCHED_OFF),
        (ALL_DAY_TASK, WITH_ALL_DAY, None),
        (ALL_DAY_TASK | {"type": "Call"}, Settings(), Reason.TYPE_SWITCHED_OFF),
    ],
)
def test_a_task_has_a_place_in_a_calendar_or_a_reason_why_not(
    fields: dict[str, object], settings: Settings, reason: Reason | None
) -> None:
    assert scope.why_out_of_scope(task(**fields), settings) is reason


# -- events -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "settings", "reason"),
    [
        ({}, Settings(), None),
        ({}, Settings(create_tasks_from_google=False), Reason.IMPORT_SWITCHED_OFF),
        ({"eventType": "fromGmail"}, Settings(), None),
        ({"eventType": "birthday"}, Settings(), Reason.EVENT_TYPE),
        ({"eventType": "focusTime"}, Settings(), Reason.EVENT_TYPE),
        ({"eventType": "outOfOffice"}, Settings(), Reason.EVENT_TYPE),
        ({"eventType": "workingLocation"}, Settings(), Reason.EVENT_TYPE),
        ({"visibility": "public"}, Settings(), None),
        ({"visibility": "private"}, Settings(), Reason.PRIVATE_EVENT),
        ({"visibility": "confidential"}, Settings(), Reason.PRIVATE_EVENT),
        ({"visibility": "private"}, Settings(import_private_events=True), None),
        (ALL_DAY_EVENT, Settings(), Reason.ALL_DAY_SWITCHED_OFF),
        (ALL_DAY_EVENT, WITH_ALL_DAY, None),
        ({"recurrence": ["RRULE:FREQ=DAILY"]}, Settings(), Reason.RECURRING_EVENT),
        ({"recurringEventId": "abc"}, Settings(), None),
    ],
)
def test_an_event_becomes_a_task_or_has_a_reason_why_not(
    fields: dict[str, object], settings: Settings, reason: Reason | None
) -> None:
    assert scope.why_not_imported(event(**fields), settings) is reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (guest("ann@google.example", "declined", self=True), Reason.DECLINED),
        (guest("ann@google.example", "accepted", self=True), None),
        (guest("eve@guest.example", "declined"), None),
    ],
)
def test_only_what_the_user_declined_is_not_imported(
    row: dict[str, object], reason: Reason | None
) -> None:
    invited = event(attendees=[row])

    assert scope.why_not_imported(invited, Settings()) is reason


@pytest.mark.parametrize(
    ("fields", "settings", "reason"),
    [
        ({}, Settings(), None),
        ({"visibility": "private"}, Settings(), None),
        ({}, Settings(create_tasks_from_google=False), None),
        (ALL_DAY_EVENT, Settings(), Reason.ALL_DAY_SWITCHED_OFF),
        ({"recurrence": ["RRULE:FREQ=DAILY"]}, Settings(), Reason.RECURRING_EVENT),
    ],
)
def test_a_linked_event_waits_only_while_it_cannot_be_mapped(
    fields: dict[str, object], settings: Settings, reason: Reason | None
) -> None:
    assert scope.why_on_hold(event(**fields), settings) is reason


# -- who may write ----------------------------------------------------------------

OTHERS = {"organizer": {"email": "eve@guest.example"}}


@pytest.mark.parametrize(
    ("fields", "role", "is_read_only"),
    [
        ({}, "owner", False),
        ({}, "writer", False),
        ({}, "reader", True),
        ({}, "freeBusyReader", True),
        ({"locked": True}, "owner", True),
        (OTHERS, "owner", True),
        (OTHERS | {"guestsCanModify": True}, "owner", False),
        (OTHERS | {"guestsCanModify": True}, "reader", True),
        ({"eventType": "fromGmail"}, "owner", True),
    ],
)
def test_an_event_is_read_only_unless_its_calendars_user_may_edit_it(
    fields: dict[str, object], role: str, *, is_read_only: bool
) -> None:
    assert scope.is_read_only(event(**fields), role) is is_read_only
