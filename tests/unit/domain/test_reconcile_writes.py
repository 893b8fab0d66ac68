"""What either side needs to reach a target."""

import pytest

from shared.domain.model import Meeting
from shared.domain.reconcile import Half, Write, event_write, task_write
from tests.unit.domain.deciding import (
    AGREED,
    BY_EVENT,
    ENDED,
    NOTHING,
    PURGED,
    TOMBSTONE,
    deleted,
    live,
    situation,
)
from tests.unit.domain.records import meeting

WRITES = [
    (live(AGREED), AGREED, Write.NOTHING),
    (live(AGREED), meeting(" Lunch "), Write.NOTHING),
    (live(AGREED), BY_EVENT, Write.UPDATE),
    (live(AGREED), ENDED, Write.CANCEL),
    (live(ENDED), ENDED, Write.NOTHING),
    (live(ENDED), AGREED, Write.REVIVE),
    (live(ENDED), BY_EVENT, Write.REVIVE),
    (NOTHING, AGREED, Write.CREATE),
    (NOTHING, ENDED, Write.NOTHING),
    (PURGED, AGREED, Write.CREATE),
    (PURGED, ENDED, Write.NOTHING),
]


@pytest.mark.parametrize(("half", "target", "write"), WRITES)
def test_a_side_is_written_only_where_it_differs(
    half: Half, target: Meeting, write: Write
) -> None:
    assert task_write(situation(half), target) is write
    assert event_write(situation(event=half), target) is write


@pytest.mark.parametrize(
    ("target", "write"), [(AGREED, Write.CREATE), (ENDED, Write.NOTHING)]
)
def test_a_deleted_task_is_made_anew_never_revived(
    target: Meeting, write: Write
) -> None:
    assert task_write(situation(deleted()), target) is write


@pytest.mark.parametrize(
    ("target", "write"), [(AGREED, Write.REVIVE), (ENDED, Write.NOTHING)]
)
def test_a_bare_tombstone_counts_as_cancelled(target: Meeting, write: Write) -> None:
    assert event_write(situation(event=TOMBSTONE), target) is write
