"""What is too old goes a little at a time, and everything else stays."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.adapters.store import Store, tables
from shared.adapters.store.states import JobState
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from tests.store_contract_retention import add_conflict, add_letter, add_line
from tests.unit.workers.machinery import NOW
from tests.unit.workers.world import World
from webhook_receiver.dead_letters import DeadLetters
from workers import retention
from workers.periodic import Periodic
from workers.retention import Retention
from workers.services import Kept

DAY = timedelta(days=1)
ALL = Kept(history=DAY, conflicts=DAY, dead_letters=DAY)


@pytest.fixture
def store(empty_world: World) -> Store:
    """Return a store with one of each that is a day old, and one of each from now."""
    with empty_world.store.begin() as work:
        acme = work.organizations.by_id(empty_world.organization.id)
        for at in (NOW - DAY - timedelta(seconds=1), NOW):
            add_line(work, acme, at=at)
            add_conflict(work, acme, resolved_at=at)
            add_letter(work, acme, at)
        work.commit()
    return empty_world.store


def _left(world: World) -> tuple[int, int, int, int]:
    return (
        len(world.items()),
        len(world.jobs()),
        len(world.conflicts()),
        len(world.dead_letters()),
    )


def _retention(world: World, kept: Kept) -> Retention:
    return Retention(replace(world.services, kept=kept))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("kept", "left"),
    [
        (Kept(), (2, 2, 2, 2)),
        (Kept(history=DAY), (1, 1, 2, 2)),
        (Kept(conflicts=DAY), (2, 2, 1, 2)),
        (Kept(dead_letters=DAY), (2, 2, 2, 1)),
        (ALL, (1, 1, 1, 1)),
    ],
)
def test_what_is_older_than_it_is_kept_goes(
    empty_world: World, kept: Kept, left: tuple[int, int, int, int]
) -> None:
    _retention(empty_world, kept).turn(NOW)

    assert _left(empty_world) == left


def test_sign_ins_and_consents_go_when_they_are_of_no_use(empty_world: World) -> None:
    mine = {"organization_id": empty_world.organization.id}
    with empty_world.store.begin() as work:
        for name, at in (("old", NOW - 2 * DAY), ("new", NOW)):
            code = tables.LoginCode(code_hash=name, role="admin", expires_at=at, **mine)
            consent = tables.OAuthState(
                state_hash=name,
                code_verifier="v",
                created_at=at,
                expires_at=at,
                **mine,
            )
            work.login_codes.add(code)
            work.oauth_states.add(consent)
        work.commit()

    _retention(empty_world, Kept()).turn(NOW)

    with empty_world.store.read() as work:
        codes = [work.login_codes.get(name) is None for name in ("old", "new")]
        consents = [work.oauth_states.get(name) is None for name in ("old", "new")]
    assert codes == consents == [True, False]


def test_a_turn_takes_a_part_of_very_much_and_the_next_goes_on(
    empty_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "IN_A_TURN", 4)
    _file_letters(empty_world, count=9)
    pruning = _retention(empty_world, ALL)

    left = []
    for second in range(3):
        pruning.turn(NOW + timedelta(seconds=second))
        left.append(len(empty_world.dead_letters()))

    assert left == [5, 1, 0]


def test_where_nothing_was_left_nobody_looks_again_for_a_while(
    empty_world: World,
) -> None:
    pruning = _retention(empty_world, ALL)
    pruning.turn(NOW)
    _file_letters(empty_world, count=1)

    left = []
    for at in (NOW + retention.PAUSE - timedelta(seconds=1), NOW + retention.PAUSE):
        pruning.turn(at)
        left.append(len(empty_world.dead_letters()))

    assert left == [1, 0]


def test_a_clock_that_is_set_back_makes_no_rest_longer(empty_world: World) -> None:
    pruning = _retention(empty_world, ALL)
    pruning.turn(NOW + 9 * DAY)
    _file_letters(empty_world, count=1)

    pruning.turn(NOW)

    assert empty_world.dead_letters() == []


@pytest.mark.usefixtures("store")
def test_one_process_prunes_at_a_time(empty_world: World) -> None:
    with empty_world.store.try_lock("retention"):
        _retention(empty_world, ALL).turn(NOW)

    assert _left(empty_world) == (2, 2, 2, 2)


@pytest.mark.usefixtures("store")
def test_what_went_is_told_once(
    empty_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "workers.retention")
    pruning = _retention(empty_world, ALL)

    pruning.turn(NOW)
    pruning.turn(NOW + retention.PAUSE)

    assert [record.getMessage() for record in caplog.records] == [
        "Pruned lines of the history: 1",
        "Pruned jobs: 1",
        "Pruned settled conflicts: 1",
        "Pruned dead letters: 1",
    ]


@pytest.mark.usefixtures("store")
def test_the_timers_prune(empty_world: World) -> None:
    Periodic(replace(empty_world.services, kept=ALL)).round()

    assert _left(empty_world)[3] == 1


def test_a_record_is_synced_on_though_its_history_is_gone(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.pass_time(2 * DAY)
    _retention(world, ALL).turn(world.clock.now())
    before = world.items()

    world.edit_task(task["id"], title="Plan B")
    world.settle()

    assert before == []
    assert world.only_event()["summary"] == "Plan B"
    assert len(world.items()) == 1


def test_a_message_whose_job_is_gone_has_another_one(world: World) -> None:
    task = world.add_task()
    world.settle()
    (job,) = world.jobs()[-1:]
    due = messages.TaskDue(organization_id=world.organization.id, task_id=task["id"])
    world.pass_time(2 * DAY)
    _retention(world, ALL).turn(world.clock.now())

    world.queue(Queue.RECORDS, due, Trigger.RETRY, job_id=job.id)
    world.settle()

    (another,) = world.jobs()
    assert another.id > job.id
    assert world.dead_letters() == []


def test_a_dead_letter_is_replayed_though_its_job_is_gone(world: World) -> None:
    connection_id = world.connection().id
    due = messages.ConnectionDue(connection_id=connection_id)
    world.ann.fail_next(errors.RemoteRejectedError(), on="list_events")
    world.queue(Queue.BACKFILL, due)
    world.settle()
    letters = world.dead_letters()
    world.pass_time(2 * DAY)
    _retention(world, Kept(history=DAY)).turn(world.clock.now())
    pruned = world.jobs()

    DeadLetters(world.store, world.broker).replay(letters)
    world.settle()

    (job,) = world.jobs()
    assert pruned == []
    assert job.state == JobState.SUCCEEDED
    assert world.dead_letters() == []


def _file_letters(world: World, *, count: int) -> None:
    with world.store.begin() as work:
        acme = work.organizations.by_id(world.organization.id)
        for number in range(count):
            add_letter(work, acme, _days_ago(number + 2))
        work.commit()


def _days_ago(number: int) -> datetime:
    return NOW - number * DAY


def test_what_belongs_to_a_job_that_never_ended_goes_too(empty_world: World) -> None:
    with empty_world.store.begin() as work:
        acme = work.organizations.by_id(empty_world.organization.id)
        add_line(work, acme, at=NOW - 2 * DAY, expected=2)
        work.commit()

    _retention(empty_world, ALL).turn(NOW)

    assert _left(empty_world) == (0, 0, 0, 0)
