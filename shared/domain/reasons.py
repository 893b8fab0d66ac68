"""Why a decision came out as it did; every one lands in the record's history."""

from enum import StrEnum


class Reason(StrEnum):
    """The reason codes; the value is what the API and the history show."""

    # nothing to do
    UNCHANGED = "unchanged"
    """Both sides are as they last agreed."""
    ECHO = "echo"
    """Our own write came back."""
    SUPERSEDED = "superseded"
    """A later state of the record is already known."""
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    """The record is cancelled and has no counterpart."""

    # one side follows the other
    TASK_CREATED = "task_created"
    TASK_EDITED = "task_edited"
    TASK_CANCELLED = "task_cancelled"
    TASK_DELETED = "task_deleted"
    TASK_REOPENED = "task_reopened"
    EVENT_CREATED = "event_created"
    EVENT_EDITED = "event_edited"
    EVENT_CANCELLED = "event_cancelled"
    EVENT_RESTORED = "event_restored"
    GUESTS_ANSWERED = "guests_answered"
    BACK_IN_SCOPE = "back_in_scope"
    OWNER_CHANGED = "owner_changed"
    """The task has another owner: its event moves to that owner's calendar."""

    # both sides were there
    ADOPTED = "adopted"
    """Task and event were found equal and are linked from now on."""
    SAME_EDIT = "same_edit"
    """Both sides were edited to the same values."""
    MERGED = "merged"
    """The sides were edited in different fields; both edits survive."""
    CONFLICT_CRM_WINS = "conflict_crm_wins"
    CONFLICT_GOOGLE_WINS = "conflict_google_wins"
    CONFLICT_CRM_LATER = "conflict_crm_later"
    CONFLICT_GOOGLE_LATER = "conflict_google_later"
    CONFLICT_FLAGGED = "conflict_flagged"
    """A user has to choose."""

    # out of scope: the task is not synced
    TYPE_SWITCHED_OFF = "type_switched_off"
    NO_DUE_DATE = "no_due_date"
    ALL_DAY_SWITCHED_OFF = "all_day_switched_off"
    OWNER_NOT_CONNECTED = "owner_not_connected"
    OWNER_MUST_RECONNECT = "owner_must_reconnect"
    """The owner's connection is not active; the work waits for it."""

    # the event is not imported, or not written
    IMPORT_SWITCHED_OFF = "import_switched_off"
    PRIVATE_EVENT = "private_event"
    RECURRING_EVENT = "recurring_event"
    """A series is synced by its occurrences, not itself."""
    EVENT_TYPE = "event_type"
    """Birthdays, working locations, focus time and out of office are left alone."""
    DECLINED = "declined"
    """The calendar's user does not come to this meeting."""
    ANOTHER_COPY_LEADS = "another_copy_leads"
    """The meeting is synced through another connected user's copy."""
    READ_ONLY_EVENT = "read_only_event"
    """The calendar's user may not edit this event; the task follows it."""
    NOT_SELECTED = "calendar_not_selected"
    """The calendar is no longer the one its user syncs."""
