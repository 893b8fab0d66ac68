"""Whatever happens to records, messages and workers, in the end both sides agree.

Random edits, deletions, revivals, guests and changes of owner on both sides of two
users; webhooks that are lost, doubled and out of order; calls that fail, or whose
answer is lost; invitations that Google does not allow for now; workers that die. Then
the faults stop, both sides are polled, and everything settles: both sides are equal (or
one conflict waits for its user), each live task in scope has exactly one live event,
each event one task, and no message is left.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.settings import ConflictPolicy
from tests.property.workers_story import CONNECTED, Story
from tests.unit.workers.machinery import Database, Outside
from tests.unit.workers.world import World

_GUESTS = ["guest@x.example", "other@x.example"]
_PICKS = st.integers(0, 3)
_NAMES = st.sampled_from(CONNECTED)
_TITLES = st.sampled_from(["Alpha", "Beta", "Gamma"])
_PLACES = st.sampled_from(["", "Room 1", "Room 2"])
_CALLS = st.sampled_from(
    ["insert_event", "patch_event", "delete_event", "create_task", "update_task"]
)
_FAILURES = st.sampled_from(["refused", "unheard", "killed", "killed after"])
_HOURS = st.sampled_from([8, 10, 14])


def _due_at(hour: int) -> dict[str, Any]:
    return {"due_at": f"2026-03-05T{hour:02}:00:00Z", "due_date": None}


def _times(hour: int) -> dict[str, Any]:
    return {
        "start": {"dateTime": f"2026-03-05T{hour:02}:00:00Z", "timeZone": "UTC"},
        "end": {"dateTime": f"2026-03-05T{hour:02}:30:00Z", "timeZone": "UTC"},
    }


def _fields(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields)


_TASK_EDITS = st.one_of(
    _fields(title=_TITLES),
    _fields(location=_PLACES),
    _HOURS.map(_due_at),
    _fields(status=st.sampled_from(["open", "cancelled", "completed"])),
    _fields(type=st.sampled_from(["Meeting", "Meeting", "Call"])),
    _fields(owner_id=st.sampled_from(["ann", "ben", "cleo"])),
    st.just({"due_at": None, "duration_minutes": None}),
    st.lists(st.sampled_from(_GUESTS), unique=True).map(
        lambda emails: {"attendees": [{"email": email} for email in emails]}
    ),
)
_EVENT_EDITS = st.one_of(
    _fields(summary=_TITLES),
    _fields(location=_PLACES),
    _HOURS.map(_times),
    st.just({"reminders": {"useDefault": True}}),
    st.lists(st.sampled_from(_GUESTS), unique=True).map(
        lambda emails: {"attendees": [{"email": email} for email in emails]}
    ),
)


def _step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), st.tuples(*arguments))


_STEPS = st.one_of(
    _step("new_task", _fields(title=_TITLES, owner_id=_NAMES)),
    _step("edit_task", _PICKS, _TASK_EDITS),
    _step("edit_task", _PICKS, _TASK_EDITS),
    _step("remove_task", _PICKS),
    _step("new_event", _NAMES, _fields(summary=_TITLES)),
    _step("edit_event", _NAMES, _PICKS, _EVENT_EDITS),
    _step("edit_event", _NAMES, _PICKS, _EVENT_EDITS),
    _step("answer", _NAMES, _PICKS, st.sampled_from(["accepted", "declined"])),
    _step("remove_event", _NAMES, _PICKS),
    _step("restore_event", _NAMES, _PICKS),
    _step("purge_event", _NAMES, _PICKS),
    _step("work", st.integers(1, 4), _PICKS),
    _step("work", st.integers(1, 4), _PICKS),
    _step("work", st.integers(1, 4), _PICKS),
    _step("lose", _PICKS),
    _step("double", _PICKS),
    _step("wait", st.sampled_from([1, 3, 20])),
    _step("fail", _CALLS, _FAILURES),
    _step("fail", _CALLS, _FAILURES),
    _step("limit_invitations", st.booleans()),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return the database that all stories use, one after the other."""
    made = Database(tmp_path_factory.mktemp("stories"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def connected(database: Database) -> Outside:
    """Connect Ann and Ben, who have two meetings; the store is kept as `connected`."""
    world = World(database.begin_anew(), Outside.empty())
    for name in CONNECTED:
        world.connect(name)
    world.add_task(attendees=[{"email": _GUESTS[0]}])
    world.add_event("theirs", "ann")
    world.settle()
    for name in CONNECTED:
        world.calendar_changed(name)
    world.settle()
    database.keep("connected")
    return world.outside


@settings(max_examples=settings().max_examples // 2)
@given(
    policy=st.sampled_from(ConflictPolicy),
    merge=st.booleans(),
    steps=st.lists(_STEPS, min_size=6, max_size=20),
)
def test_in_the_end_both_sides_agree(
    database: Database,
    connected: Outside,
    policy: ConflictPolicy,
    merge: bool,  # noqa: FBT001 - Hypothesis passes names
    steps: list[tuple[str, tuple[Any, ...]]],
) -> None:
    """Tell a story to its end."""
    world = World(database.begin_anew("connected"), copy.deepcopy(connected))
    world.settings(conflict_policy=policy, merge_disjoint_edits=merge)
    story = Story(world)

    for name, arguments in steps:
        getattr(story, name)(*arguments)
    story.end()

    story.assert_in_step()
    story.assert_at_rest()
