"""Which threads work on which queue, and what every message is counted as."""

import pytest
from prometheus_client import REGISTRY

from shared.domain.messages import Queue
from tests.unit.workers.world import World
from workers import consumer
from workers.deaths import Deaths


def test_first_syncs_have_fewer_threads_of_their_own(world: World) -> None:
    found = consumer.consumers(world.services, world.broker, list(Queue), concurrency=8)

    assert len(found) == 3
    made = {frozenset(c.queues): c.concurrency for c in world.broker.consumers}
    assert made == {
        frozenset({Queue.GOOGLE_CHANGES, Queue.CRM_CHANGES, Queue.RECORDS}): 8,
        frozenset({Queue.BACKFILL}): 4,
        frozenset({Queue.DEAD_LETTERS}): 1,
    }


def test_dead_letters_are_filed_and_not_worked_on(world: World) -> None:
    consumer.consumers(
        world.services, world.broker, [Queue.DEAD_LETTERS], concurrency=8
    )

    (made,) = world.broker.consumers
    assert isinstance(made.handler, Deaths)


@pytest.mark.parametrize("queue", [Queue.RECORDS, Queue.BACKFILL])
def test_only_the_queues_that_are_asked_for_are_worked_on(
    world: World, queue: Queue
) -> None:
    consumer.consumers(world.services, world.broker, [queue], concurrency=1)

    (made,) = world.broker.consumers
    assert (made.queues, made.concurrency) == ({queue}, 1)


def _count(outcome: str) -> float:
    labels = {"queue": "crm.changes", "outcome": outcome}
    return REGISTRY.get_sample_value("calendar_sync_messages_total", labels) or 0.0


def test_every_message_is_counted_by_what_became_of_it(world: World) -> None:
    before = _count("done"), _count("later")
    world.be_down()

    world.add_task()
    world.add_task()
    world.settle()

    assert (_count("done"), _count("later")) == (before[0] + 1, before[1] + 1)
