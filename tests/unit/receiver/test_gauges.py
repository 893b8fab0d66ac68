"""What the receiver reads for its metrics, how often, and what it does in an outage."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families as parsed

from shared.adapters.broker_local import LocalBroker
from shared.adapters.store import tables
from shared.domain import errors, messages
from shared.domain.access import Problem
from shared.domain.messages import Message, Queue, Trigger
from shared.domain.settings import Frequency
from tests import store_rows
from tests.unit.receiver.house import NOW, House
from webhook_receiver.gauges import Gauges

PATIENCE_SECONDS = 5.0
_KEPT = timedelta(seconds=15)


class Away(LocalBroker):
    """A broker that is away while `is_away`, or holds whoever asks until released."""

    is_away = False
    asked = 0
    gate: threading.Event | None = None

    def depths(self) -> Mapping[str, int]:
        """Count the messages, if it is there."""
        self.asked += 1
        if self.gate is not None:
            self.gate.wait(PATIENCE_SECONDS)
        if self.is_away:
            raise errors.BrokerConnectionError
        return super().depths()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The gauges of a receiver, and the broker that they ask."""

    registry: CollectorRegistry
    broker: Away

    def read(self, name: str) -> dict[str, float]:
        """Return the values of a gauge, by the only label it has."""
        (found,) = [
            family
            for family in self.registry.collect()
            if family.name == f"calendar_sync_{name}"
        ]
        return {
            next(iter(sample.labels.values()), ""): sample.value
            for sample in found.samples
        }


@pytest.fixture
def probe(house: House) -> Iterator[Probe]:
    """Return gauges that have not been read before."""
    broker = Away(lambda: house.store.engine, house.clock)
    services = replace(house.services, broker=broker)
    gauges = Gauges(services, patience_seconds=PATIENCE_SECONDS)
    yield Probe(registry=gauges.registry(), broker=broker)
    if broker.gate is not None:
        broker.gate.set()
    gauges.close()


def queue(house: House, *queues: Queue) -> None:
    """Put a message into each of these queues."""
    for number, name in enumerate(queues):
        house.services.broker.publish(
            Message(
                id=str(number),
                queue=name,
                subject=messages.CalendarDue(calendar_id=1),
                trigger=Trigger.SCHEDULE,
                queued_at=NOW,
            )
        )


def test_messages_are_shown_by_queue(house: House, probe: Probe) -> None:
    queue(house, Queue.RECORDS, Queue.RECORDS, Queue.BACKFILL)

    depths = probe.read("queue_messages")

    assert (depths["records"], depths["backfill"], depths["crm.changes"]) == (2, 1, 0)


def test_connections_are_shown_by_state_and_by_problem(
    house: House, acme: tables.Organization, probe: Probe
) -> None:
    other = house.organization("zenith")
    house.connection(acme, "u1")
    house.connection(other, "u1")
    house.connection(acme, "u2", state="paused", problem=Problem.API_DISABLED)

    states, problems = probe.read("connections"), probe.read("connection_problems")

    assert {name: count for name, count in states.items() if count} == {
        "active": 2,
        "paused": 1,
    }
    assert {name: count for name, count in problems.items() if count} == {
        "api_disabled": 1
    }
    assert problems["revoked"] == 0


@pytest.mark.parametrize(
    ("frequency", "missing"), [(Frequency.REALTIME, 1), (Frequency.HOURLY, 0)]
)
def test_channels_are_shown_by_how_much_longer_google_notifies_through_them(
    house: House, probe: Probe, frequency: Frequency, missing: int
) -> None:
    acme = house.organization(settings={"frequency": frequency})
    connection = house.connection(acme)
    ends = {"long": 48, "short": 1, "over": 0}
    with house.store.begin() as work:
        for name, hours in ends.items():
            calendar = store_rows.add_calendar(work, connection, name)
            work.channels.add(
                tables.Channel(
                    id=name,
                    calendar_id=calendar.id,
                    state="open",
                    created_at=NOW,
                    expires_at=NOW + timedelta(hours=hours),
                )
            )
        work.commit()

    assert probe.read("channels") == {
        "open": 1,
        "expiring": 1,
        "expired": 1,
        "missing": missing,
    }


def test_what_waits_for_somebody_is_shown_with_its_age(
    house: House, acme: tables.Organization, probe: Probe
) -> None:
    connection = house.connection(acme)
    with house.store.begin() as work:
        for hours in (1, 3):
            at = NOW - timedelta(hours=hours)
            store_rows.add_held_deletion(work, connection, created_at=at)
        work.commit()

    assert probe.read("held_work") == {"conflict": 0, "deletion": 2}
    assert probe.read("held_work_oldest_seconds") == {"conflict": 0, "deletion": 10800}
    assert probe.read("dead_letters") == {"": 0}


def test_what_was_read_is_shown_again_for_a_moment(house: House, probe: Probe) -> None:
    probe.read("queue_messages")
    queue(house, Queue.RECORDS)
    house.clock.moment += _KEPT - timedelta(seconds=1)
    before = probe.read("queue_messages")

    house.clock.moment += timedelta(seconds=1)
    after = probe.read("queue_messages")

    assert (before["records"], after["records"]) == (0, 1)
    assert probe.broker.asked == 2


def test_without_the_broker_the_rest_is_shown(probe: Probe) -> None:
    probe.broker.is_away = True

    assert probe.read("up") == {"broker": 0, "database": 1}
    assert probe.read("queue_messages") == {}
    assert probe.read("held_work") == {"conflict": 0, "deletion": 0}


def test_without_the_database_the_rest_is_shown(house: House, probe: Probe) -> None:
    with house.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE conflicts RENAME TO gone")

    assert probe.read("up") == {"broker": 1, "database": 0}
    assert probe.read("connections") == {}


def test_a_source_that_hangs_holds_nobody_up(house: House) -> None:
    broker = Away(lambda: house.store.engine, house.clock)
    broker.gate = threading.Event()
    services = replace(house.services, broker=broker)
    gauges = Gauges(services, patience_seconds=0.05)
    probe = Probe(registry=gauges.registry(), broker=broker)

    for _ in range(3):
        house.clock.moment += _KEPT
        assert probe.read("up")["broker"] == 0

    broker.gate.set()
    assert broker.asked == 1


def test_the_receiver_shows_them_beside_what_it_counts(house: House) -> None:
    shown = {family.name for family in parsed(house.browser().get("/metrics").text)}

    assert {"calendar_sync_webhooks", "calendar_sync_up"} <= shown
