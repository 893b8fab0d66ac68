"""Whatever people do with shared meetings and series, in the end both sides agree.

The workers are the real ones, and so are the adapters; both remotes are the simulators,
in process and in virtual time. On top of what `test_workers_converge` does, meetings
have guests who are users themselves, recur, are split, and change between both.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from shared.domain.settings import ConflictPolicy
from tests.property.simulated_story import SimulatedStory
from tests.unit.workers.machinery import PEOPLE, Database, Outside
from tests.unit.workers.world import World

CHAPTERS = int(os.environ.get("STORY_CHAPTERS", "1"))
"""How many times as many stories; `make test` and `make soak` tell more."""

Step = tuple[str, tuple[Any, ...]]

_PICKS = st.integers(0, 5)
_NAMES = st.sampled_from(PEOPLE)
_TITLES = st.sampled_from(["Alpha", "Beta", "Gamma"])
_HOURS = st.sampled_from([8, 10, 14])
_DAYS = st.sampled_from([3, 4, 5])
_GUESTS = st.lists(
    st.sampled_from([*(f"{name}@gmail.com" for name in PEOPLE), "guest@x.example"]),
    unique=True,
    max_size=2,
)
_RULES = st.sampled_from(
    [
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "RRULE:FREQ=DAILY;COUNT=3",
        "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3",
    ]
)
_CALLS = st.sampled_from(
    ["insert_event", "patch_event", "delete_event", "create_task", "update_task"]
)
_FAILURES = st.sampled_from(["refused", "unheard", "killed", "killed after"])


def _times(day: int, hour: int) -> dict[str, Any]:
    start, end = (f"2026-03-{day:02}T{hour:02}:{m}:00Z" for m in ("00", "30"))
    return {
        "start": {"dateTime": start, "timeZone": "Europe/Berlin"},
        "end": {"dateTime": end, "timeZone": "Europe/Berlin"},
    }


def _rows(addresses: list[str]) -> dict[str, Any]:
    return {"attendees": [{"email": address} for address in addresses]}


def _merged(*parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


_TITLE = _TITLES.map(lambda title: {"summary": title})
_WHEN = st.builds(_times, _DAYS, _HOURS)
_INVITED = _GUESTS.map(_rows)
_RULE = _RULES.map(lambda rule: {"recurrence": [rule]})
_SINGLE = st.builds(_merged, _TITLE, _WHEN, _INVITED)
_SERIES = st.builds(_merged, _TITLE, _WHEN, _INVITED, _RULE)
_EVENT_EDITS = st.one_of(_TITLE, _WHEN, _INVITED)
_SERIES_EDITS = st.one_of(_TITLE, _WHEN, _INVITED, _RULE, st.just({"recurrence": None}))
_SPLITS = st.one_of(_TITLE, _TITLE, _INVITED)
_TASK_CHANGES = st.one_of(
    _TITLES.map(lambda title: {"title": title}),
    st.builds(
        lambda day, hour: {"due_at": f"2026-03-{day:02}T{hour:02}:00:00Z"},
        _DAYS,
        _HOURS,
    ),
    st.sampled_from(["open", "completed"]).map(lambda status: {"status": status}),
)
_TASK_EDITS = st.one_of(_TASK_CHANGES, st.just({"status": "cancelled"}))
_SETTINGS = st.one_of(
    st.sampled_from(list(ConflictPolicy)).map(
        lambda policy: {"conflict_policy": policy.value}
    ),
    st.booleans().map(lambda is_on: {"create_tasks_from_google": is_on}),
)


def _step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), st.tuples(*arguments))


_ADDING_OR_CHANGING = (
    _step("new_task", st.fixed_dictionaries({"title": _TITLES, "owner_id": _NAMES})),
    _step("edit_task", _PICKS, _TASK_CHANGES),
    _step("new_event", _NAMES, _SINGLE),
    _step("new_series", _NAMES, _SERIES),
    _step("edit_event", _NAMES, _PICKS, _EVENT_EDITS),
    _step("edit_event", _NAMES, _PICKS, _EVENT_EDITS),
    _step("answer", _NAMES, _PICKS, st.just("accepted")),
)
_GOING_ON = (
    _step("work", st.integers(1, 8), _PICKS),
    _step("work", st.integers(1, 8), _PICKS),
    _step("lose", _PICKS),
    _step("double", _PICKS),
    _step("wait", st.sampled_from([1, 20, 24 * 60])),
    _step("fail", _CALLS, _FAILURES),
    _step("change_settings", _SETTINGS),
)
_STEPS = st.one_of(
    *_ADDING_OR_CHANGING,
    _step("edit_task", _PICKS, _TASK_EDITS),
    _step("remove_task", _PICKS),
    _step("edit_series", _NAMES, _PICKS, _SERIES_EDITS),
    _step("split_series", _NAMES, _PICKS, _SPLITS),
    _step("remove_series", _NAMES, _PICKS),
    _step("answer", _NAMES, _PICKS, st.just("declined")),
    _step("remove_event", _NAMES, _PICKS),
    _step("restore_event", _NAMES, _PICKS),
    *_GOING_ON,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return the database that all stories use, one after the other."""
    made = Database(tmp_path_factory.mktemp("simulated"))
    yield made
    made.store.close()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("chapter", range(CHAPTERS))
def test_in_the_end_both_simulators_agree(database: Database, chapter: int) -> None:
    """Tell as many stories as Hypothesis is set to; each chapter has its own."""

    @seed(chapter)
    @given(
        policy=st.sampled_from(ConflictPolicy),
        merge=st.booleans(),
        steps=st.lists(_STEPS, min_size=4, max_size=14),
    )
    def tell(policy: ConflictPolicy, merge: bool, steps: list[Step]) -> None:  # noqa: FBT001 - Hypothesis passes names
        _tell(database, policy, steps, merge=merge)

    tell()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("chapter", range(CHAPTERS // 4 or 1))
def test_nothing_is_over_that_nobody_has_ended(
    database: Database, chapter: int
) -> None:
    """Tell stories in which meetings are made and changed, but never end."""

    @seed(chapter)
    @given(
        policy=st.sampled_from(ConflictPolicy),
        merge=st.booleans(),
        steps=st.lists(
            st.one_of(*_ADDING_OR_CHANGING, *_GOING_ON), min_size=4, max_size=14
        ),
    )
    def tell(policy: ConflictPolicy, merge: bool, steps: list[Step]) -> None:  # noqa: FBT001 - as above
        _tell(database, policy, steps, merge=merge).assert_nothing_is_over()

    tell()


def _tell(
    database: Database, policy: ConflictPolicy, steps: list[Step], *, merge: bool
) -> SimulatedStory:
    world = World(database.begin_anew(), Outside.simulated())
    for name in PEOPLE:
        world.connect(name)
    world.settings(conflict_policy=policy, merge_disjoint_edits=merge)
    story = SimulatedStory(world)

    for name, arguments in steps:
        getattr(story, name)(*arguments)
    story.end()

    story.assert_in_step()
    story.assert_at_rest()
    return story
