"""Words for the codes that pages show, and values as people write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.messages import Queue

NOTHING = "\N{EN DASH}"
"""Where there is no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word for a code; `tone` is its colour, which never says more than the word."""

    word: str
    tone: str = "off"


class Labels(dict[str, Label]):
    """Labels by code; one that is not listed is its own word."""

    def __missing__(self, code: str) -> Label:
        """Return `Create event, update task` for `create_event+update_task`."""
        words = code.replace("_", " ").replace("+", ", ")
        return Label(word=words[:1].upper() + words[1:])


LABELS = Labels(
    # jobs
    running=Label(word="Running", tone="info"),
    succeeded=Label(word="Succeeded", tone="good"),
    partial=Label(word="Partly failed", tone="warn"),
    failed=Label(word="Failed", tone="bad"),
    crm_to_google=Label(word="CRM to Google"),
    google_to_crm=Label(word="Google to CRM"),
    both=Label(word="Both ways"),
    webhook=Label(word="A change"),
    schedule=Label(word="The schedule"),
    manual=Label(word="Sync now"),
    retry=Label(word="A retry"),
    backfill=Label(word="First sync"),
    repair=Label(word="A repair"),
    # records
    applied=Label(word="Applied", tone="good"),
    unchanged=Label(word="Unchanged"),
    skipped=Label(word="Skipped"),
    conflict=Label(word="Conflict", tone="warn"),
    held=Label(word="Waiting", tone="warn"),
    none=Label(word="Nothing to do"),
    echo=Label(word="Nothing to do"),
    conflict_flagged=Label(word="Edited on both sides"),
    # dead letters
    remote_rejected=Label(word="Request refused"),
    remote_unavailable=Label(word="No answer"),
    remote_auth=Label(word="Access refused"),
    mapping=Label(word="Value that does not fit"),
    message_decode=Label(word="Unreadable message"),
    # connections
    active=Label(word="Active", tone="good"),
    needs_reauthorization=Label(word="Must connect again", tone="bad"),
    missing_scopes=Label(word="Permission missing", tone="bad"),
    calendar_missing=Label(word="Calendar missing", tone="bad"),
    paused=Label(word="Paused", tone="warn"),
    disconnected=Label(word="Not connected"),
    not_started=Label(word="Not started", tone="warn"),
    # conflicts
    open=Label(word="Waiting for a choice", tone="warn"),
    resolved=Label(word="Settled", tone="good"),
)

QUEUES: Mapping[str, str] = {
    Queue.GOOGLE_CHANGES: "Changes in Google",
    Queue.CRM_CHANGES: "Changes in the CRM",
    Queue.RECORDS: "Meetings to bring in step",
    Queue.BACKFILL: "First syncs and repairs",
}
"""What the messages of a queue are about, in the order that pages show them."""


def shown(value: Any) -> str:  # noqa: ANN401 - any value of a meeting
    """Return a value of a meeting as text."""
    match value:
        case None | "" | [] | {}:
            return NOTHING
        case bool():
            return "Yes" if value else "No"
        case Mapping():
            return ", ".join(f"{name}: {shown(each)}" for name, each in value.items())
        case list() | tuple() | set() | frozenset():
            return ", ".join(shown(each) for each in value)
        case _:
            return str(value)
