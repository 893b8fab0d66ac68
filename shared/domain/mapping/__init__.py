"""Mapping task <-> meeting <-> event, both ways, and the comparison of meetings.

`directory` knows who is who, `tasks`, `events` and `event_bodies` map their side,
`meetings` compares and stores the common form.
"""

from shared.domain.mapping.directory import Directory
from shared.domain.mapping.event_bodies import Tag, event_body, event_patch
from shared.domain.mapping.events import (
    deleted,
    event_from_document,
    meeting_of_event,
    own_addresses,
    patched,
    responses_of_event,
)
from shared.domain.mapping.meetings import (
    baseline_from_document,
    baseline_to_document,
    cancelled,
    changed_fields,
    meeting_from_document,
    meeting_to_document,
    redacted,
    title,
)
from shared.domain.mapping.tasks import (
    meeting_of_task,
    task_body,
    task_from_document,
    task_patch,
)

__all__ = [
    "Directory",
    "Tag",
    "baseline_from_document",
    "baseline_to_document",
    "cancelled",
    "changed_fields",
    "deleted",
    "event_body",
    "event_from_document",
    "event_patch",
    "meeting_from_document",
    "meeting_of_event",
    "meeting_of_task",
    "meeting_to_document",
    "own_addresses",
    "patched",
    "redacted",
    "responses_of_event",
    "task_body",
    "task_from_document",
    "task_patch",
    "title",
]
