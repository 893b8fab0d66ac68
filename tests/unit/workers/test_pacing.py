"""Google is asked no faster than it allows, and people need not wait for bulk work."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest

from shared.domain import bursts, errors, messages
from shared.domain.messages import Queue
from shared.domain.quota import Quota
from tests.fakes import SimulatedAccount
from tests.unit.workers.series import account
from tests.unit.workers.world import World
from workers.pacing import Pacing, lane_of

MINUTE = timedelta(minutes=1)
PER_MINUTE = 60
"""The quota of these stories: a tenth of Google's."""


@pytest.fixture
def pacing(world: World) -> Pacing:
    """Return what keeps to quotas; whoever waits lets time pass for all."""
    return Pacing(world.store, world.clock, sleep=_passing(world))


def _passing(world: World) -> Callable[[float], None]:
    return lambda seconds: world.pass_time(timedelta(seconds=seconds))


def _spend_all(pacing: Pacing, quotas: dict[str, Quota]) -> int:
    spent = 0
    try:
        while True:
            pacing.spend(quotas, 1)
            spent += 1
    except errors.BudgetSpentError:
        return spent


def test_a_thread_that_somebody_needs_puts_its_message_off(pacing: Pacing) -> None:
    quotas = {"ann": Quota(per_minute=PER_MINUTE)}

    spent = _spend_all(pacing, quotas)

    assert 0 < spent < PER_MINUTE


def test_bulk_work_waits_in_its_own_threads(world: World, pacing: Pacing) -> None:
    quotas = {"ann": Quota(per_minute=PER_MINUTE)}
    began_at = world.clock.now()

    with lane_of(Queue.BACKFILL):
        for _ in range(PER_MINUTE):
            pacing.spend(quotas, 1)

    assert world.clock.now() - began_at > MINUTE / 2


def test_behind_bulk_work_there_is_room_for_people(pacing: Pacing) -> None:
    quotas = {"ann": Quota(per_minute=PER_MINUTE)}
    with lane_of(Queue.BACKFILL):
        for _ in range(PER_MINUTE):
            pacing.spend(quotas, 1)

    pacing.spend(quotas, 3)


def test_each_account_has_a_quota_of_its_own(pacing: Pacing) -> None:
    _spend_all(pacing, {"ann": Quota(per_minute=PER_MINUTE)})

    pacing.spend({"ben": Quota(per_minute=PER_MINUTE)}, 1)


def test_where_one_quota_is_spent_nothing_is_taken_from_the_other(
    pacing: Pacing,
) -> None:
    project, user = Quota(per_minute=PER_MINUTE), Quota(per_minute=PER_MINUTE)
    _spend_all(pacing, {"b-user": user})

    refused = 0
    for _ in range(PER_MINUTE):
        with pytest.raises(errors.BudgetSpentError):
            pacing.spend({"a-project": project, "b-user": user}, 1)
        refused += 1

    assert refused == PER_MINUTE
    pacing.spend({"a-project": project}, 1)


# -- the workers ------------------------------------------------------------------


@pytest.fixture
def limited(simulated: World) -> Iterator[World]:
    """Return a world whose Google refuses whoever asks too fast; it must never."""
    simulated.connect("ben")
    account(simulated).google.order("quota", per_minute_per_user=PER_MINUTE)
    pacing = Pacing(simulated.store, simulated.clock, sleep=_passing(simulated))
    for name in ("ann", "ben"):
        quotas = {name: Quota(per_minute=PER_MINUTE)}
        _paced(simulated, name).pace = partial(pacing.spend, quotas)
    yield simulated
    assert _refusals(simulated) == []


def _paced(world: World, name: str) -> SimulatedAccount:
    found = world.accounts[name]
    assert isinstance(found, SimulatedAccount)
    return found


def _refusals(world: World) -> list[str]:
    return [i.reason for i in world.items() if i.reason == "rate_limit"]


def _work_on_what_is_live(world: World) -> None:
    live = {Queue.CRM_CHANGES, Queue.RECORDS}
    while world.broker.hand_over_of(live, world.dispatcher):
        pass


def test_a_burst_arrives_whole_and_within_the_quota(limited: World) -> None:
    for number in range(3 * PER_MINUTE):
        _import(limited, f"Imported {number}")

    limited.settle(patience=timedelta(minutes=10))

    assert len(limited.ann.live_events()) == 3 * PER_MINUTE
    assert limited.dead_letters() == []


def test_nobodys_edit_waits_for_an_import(limited: World) -> None:
    task = limited.add_task()
    limited.settle()
    for number in range(3 * PER_MINUTE):
        _import(limited, f"Imported {number}")
    limited.add_task(title="Urgent", owner_id="ben")
    limited.edit_task(task["id"], title="Edited meanwhile")
    began_at = limited.clock.now()

    _work_on_what_is_live(limited)

    assert [e["summary"] for e in limited.accounts["ben"].live_events()] == ["Urgent"]
    assert [e["summary"] for e in limited.ann.live_events()] == ["Edited meanwhile"]
    assert limited.clock.now() - began_at < timedelta(seconds=5)


def _import(world: World, title: str) -> None:
    """Make a task of Ann's that the receiver takes for one of many."""
    due_at = "2026-03-03T10:00:00Z"
    task = world.crm_side.add(title=title, owner_id="ann", due_at=due_at)
    changed = messages.TaskChanged(
        organization="acme", task_id=task["id"], version=1, owner_id="ann"
    )
    world.queue(Queue.BACKFILL, changed)


def test_what_a_poll_finds_beyond_a_persons_doing_is_bulk(world: World) -> None:
    world.poll()
    for number in range(bursts.MOST + 5):
        world.crm_side.add(
            title=f"Imported {number}", owner_id="ann", due_at="2026-03-03T10:00:00Z"
        )
    world.pass_time(timedelta(seconds=world.services.safety_poll_seconds))
    world.periodic.round()

    _work_on_what_is_live(world)

    waiting = [m for m in world.broker.waiting() if m.queue is Queue.BACKFILL]
    assert len(waiting) == bursts.MOST + 5
