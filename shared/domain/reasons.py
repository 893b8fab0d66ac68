"""Why a decision came out as it did; every one lands in the record's history."""

from enum import StrEnum
from typing import Self

from shared.domain import errors


class Reason(StrEnum):
    """The reason codes, each with what it tells a user."""

    explanation: str

    def __new__(cls, code: str, explanation: str = "") -> Self:
        """Take the code, which the API and the history show, and its sentence."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.explanation = explanation
        return member

    # nothing to do
    UNCHANGED = "unchanged", "Both sides are as they last agreed."
    ECHO = "echo", "Our own write came back."
    SUPERSEDED = "superseded", "A later state of the record is already known."
    NOTHING_TO_CANCEL = (
        "nothing_to_cancel",
        "The record is cancelled and has no counterpart.",
    )

    # one side follows the other
    TASK_CREATED = "task_created", "The task is new: it got an event."
    TASK_EDITED = "task_edited", "The task was edited: the event followed."
    TASK_CANCELLED = "task_cancelled", "The task was cancelled: so was the event."
    TASK_DELETED = "task_deleted", "The task was deleted: the event was cancelled."
    TASK_REOPENED = "task_reopened", "The task was reopened: the event was restored."
    EVENT_CREATED = "event_created", "The event is new: it got a task."
    EVENT_EDITED = "event_edited", "The event was edited: the task followed."
    EVENT_CANCELLED = (
        "event_cancelled",
        "The event was deleted: the task was cancelled.",
    )
    EVENT_RESTORED = "event_restored", "The event was restored: the task was reopened."
    GUESTS_ANSWERED = "guests_answered", "Guests answered: the task shows it."
    GUESTS_HELD_BACK = (
        "guests_held_back",
        "Google lets the account invite no more guests now: they are invited later.",
    )
    GUESTS_INVITED = (
        "guests_invited",
        "The guests that were held back are invited now.",
    )
    BACK_IN_SCOPE = "back_in_scope", "The task is synced again: it got its event back."
    OWNER_CHANGED = (
        "owner_changed",
        "The event moved to the calendar that the task's owner syncs.",
    )

    # both sides were there
    ADOPTED = "adopted", "Task and event were found equal and are linked from now on."
    SAME_EDIT = "same_edit", "Both sides were edited to the same values."
    MERGED = (
        "merged",
        "The sides were edited in different fields: both edits survived.",
    )
    CONFLICT_CRM_WINS = (
        "conflict_crm_wins",
        "Both sides were edited, and the policy is that the CRM wins.",
    )
    CONFLICT_GOOGLE_WINS = (
        "conflict_google_wins",
        "Both sides were edited, and the policy is that Google wins.",
    )
    CONFLICT_CRM_LATER = (
        "conflict_crm_later",
        "Both sides were edited, the task last: so the task won.",
    )
    CONFLICT_GOOGLE_LATER = (
        "conflict_google_later",
        "Both sides were edited, the event last: so the event won.",
    )
    CONFLICT_FLAGGED = (
        "conflict_flagged",
        "Both sides were edited. The task's owner has to choose; both stay until then.",
    )
    CONFLICT_SETTLED = "conflict_settled", "A user chose which edit to keep."

    QUARANTINED = (
        "quarantined",
        "Both sides kept changing it: it is left alone for an hour, unless by hand.",
    )
    MASS_DELETION = (
        "mass_deletion",
        "Many records were deleted at once: an admin has to approve that.",
    )
    DELETION_REJECTED = (
        "deletion_rejected",
        "An admin rejected the deletion: what was deleted is restored.",
    )

    # out of scope: the task is not synced
    TYPE_SWITCHED_OFF = "type_switched_off", "Tasks of this type are not synced."
    NO_DUE_DATE = "no_due_date", "A task without a due date has no place in a calendar."
    ALL_DAY_SWITCHED_OFF = "all_day_switched_off", "Whole days are not synced."
    OWNER_NOT_CONNECTED = (
        "owner_not_connected",
        "The task's owner has not connected a Google account.",
    )
    OWNER_MUST_RECONNECT = (
        "owner_must_reconnect",
        "The connection to Google is not active at present: the work waits for it.",
    )

    DISCONNECTED = (
        "disconnected",
        "The user disconnected, and wanted the events removed that were made here.",
    )

    # the event is not imported, or not written
    IMPORT_SWITCHED_OFF = (
        "import_switched_off",
        "Events made in Google do not become tasks here.",
    )
    PRIVATE_EVENT = "private_event", "Private events are not imported."
    RECURRING_EVENT = (
        "recurring_event",
        "A series is synced by its occurrences, not itself.",
    )
    EVENT_TYPE = (
        "event_type",
        "Birthdays, working locations, focus time and out of office are left alone.",
    )
    DECLINED = "declined", "The calendar's user does not come to this meeting."
    ANOTHER_COPY_LEADS = (
        "another_copy_leads",
        "The meeting is synced through another connected user's copy.",
    )
    READ_ONLY_EVENT = (
        "read_only_event",
        "The calendar's user may not edit this event: the task follows it.",
    )
    NOT_SELECTED = (
        "calendar_not_selected",
        "The calendar is no longer the one that its user syncs.",
    )


def explain(code: str) -> str:
    """Return the sentence of a reason, or of an error's code; empty if unknown."""
    try:
        return Reason(code).explanation
    except ValueError:
        return errors.explain(code)
