"""Where a change in the CRM goes when there are many of them."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import LinkState
from shared.domain.bursts import MOST, MOST_NEW, SPAN
from shared.domain.messages import Queue, TaskChanged
from tests import store_rows
from tests.unit.receiver.delivering import lose_organizations
from tests.unit.receiver.house import House
from webhook_receiver.crowds import Crowds

CRM, BULK = Queue.CRM_CHANGES, Queue.BACKFILL


class Crowd:
    """Tasks that change fast, and where the receiver puts their changes."""

    def __init__(self, house: House, acme: tables.Organization) -> None:
        """Begin without any."""
        self.house = house
        self.acme = acme
        self._crowds = Crowds(house.store, house.clock)

    def add_link(self, task_id: str, version: int | None, state: LinkState) -> None:
        """Store that a task is synced."""
        with self.house.store.begin() as work:
            store_rows.add_link(
                work, self.acme, task_id=task_id, task_version=version, state=state
            )
            work.commit()

    def queue_of(
        self,
        number: int,
        version: int = 1,
        owner_id: str | None = "ann",
        *,
        has_event: bool = False,
    ) -> Queue:
        """Return where the change of a task goes."""
        change = TaskChanged(
            organization=self.acme.name,
            task_id=f"t{number}",
            version=version,
            owner_id=owner_id,
        )
        return self._crowds.queue_of(change, has_event=has_event)

    def edits(self, count: int) -> Iterator[Queue]:
        """Edit that many tasks; yield where each edit goes."""
        for number in range(count):
            yield self.queue_of(number, version=2)


@pytest.fixture
def crowd(house: House, acme: tables.Organization) -> Crowd:
    return Crowd(house, acme)


def test_tasks_beyond_what_a_person_makes_are_bulk(crowd: Crowd) -> None:
    queues = [crowd.queue_of(number) for number in range(MOST_NEW + 3)]

    assert queues == [CRM] * MOST_NEW + [BULK] * 3


def test_edits_beyond_what_a_person_does_are_bulk(crowd: Crowd) -> None:
    queues = Counter(crowd.edits(10 * MOST))

    assert queues == {CRM: 2 * MOST, BULK: 8 * MOST}


@pytest.mark.parametrize(
    ("version", "state"),
    [(2, LinkState.ACTIVE), (3, LinkState.ACTIVE), (None, LinkState.PENDING)],
)
def test_echoes_are_nobodys_edits(
    crowd: Crowd, version: int | None, state: LinkState
) -> None:
    for number in range(3 * MOST):
        crowd.add_link(f"t{number}", version, state)

    assert set(crowd.edits(3 * MOST)) == {CRM}


def test_an_edit_among_many_echoes_does_not_wait(crowd: Crowd) -> None:
    for number in range(3 * MOST):
        crowd.add_link(f"t{number}", 2, LinkState.ACTIVE)
    assert set(crowd.edits(3 * MOST)) == {CRM}

    assert crowd.queue_of(1, version=3) == CRM


def test_tasks_that_we_make_are_nobodys(crowd: Crowd) -> None:
    queues = {crowd.queue_of(number, has_event=True) for number in range(3 * MOST)}

    assert queues == {CRM}


def test_an_import_does_not_hold_up_its_owners_edits(crowd: Crowd) -> None:
    for number in range(3 * MOST):
        crowd.queue_of(number)

    assert crowd.queue_of(1, version=2) == CRM


def test_nobody_waits_because_of_somebody_elses_crowd(crowd: Crowd) -> None:
    assert BULK in set(crowd.edits(3 * MOST))

    assert crowd.queue_of(1, version=2, owner_id="ben") == CRM


def test_a_crowd_has_an_end(crowd: Crowd) -> None:
    assert BULK in set(crowd.edits(3 * MOST))

    crowd.house.clock.moment += SPAN + timedelta(seconds=1)

    assert crowd.queue_of(1, version=3) == CRM


def test_where_nobody_owns_the_tasks_there_is_no_crowd(crowd: Crowd) -> None:
    queues = {crowd.queue_of(number, owner_id=None) for number in range(3 * MOST)}

    assert queues == {CRM}


def test_a_crowd_is_taken_in_without_the_database(crowd: Crowd) -> None:
    lose_organizations(crowd.house)

    assert Counter(crowd.edits(3 * MOST)) == {CRM: 2 * MOST, BULK: MOST}
