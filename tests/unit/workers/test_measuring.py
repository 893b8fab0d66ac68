"""What the workers count, time and write down about their own work."""

import logging
import threading

import prometheus_client
import pytest

from shared.domain.messages import Queue
from shared.domain.quota import Quota
from tests.unit.workers.world import World
from workers.pacing import Pacing, lane_of


def counted(name: str, **labels: str) -> float:
    """Return what a metric shows now."""
    found = prometheus_client.REGISTRY.get_sample_value(f"calendar_sync_{name}", labels)
    return found or 0.0


class _Once(threading.Event):
    """Is set after one round."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - Event's
        """Be set."""
        self.set()
        return True


@pytest.mark.parametrize(
    ("is_away", "outcome"), [(False, "finished"), (True, "broken_off")]
)
def test_rounds_are_counted_by_how_they_end(
    world: World, *, is_away: bool, outcome: str
) -> None:
    world.broker.is_away = is_away
    before = counted("rounds_total", outcome=outcome)

    world.periodic.run(_Once())

    assert counted("rounds_total", outcome=outcome) - before == 1


def test_a_pull_is_timed(world: World) -> None:
    before = counted("pull_seconds_count")
    world.add_event()

    world.settle()

    assert counted("pull_seconds_count") > before


def test_what_is_spent_of_a_quota_is_counted_by_its_kind(world: World) -> None:
    before = counted("quota_units_total", quota="account")
    half_before = counted("quota_used_ratio_bucket", quota="account", le="0.5")
    all_before = counted("quota_used_ratio_count", quota="account")
    pacing = Pacing(world.store, world.clock, sleep=lambda _seconds: None)

    # A burst is ten units: bulk work may spend five of them.
    with lane_of(Queue.BACKFILL):
        for _ in range(3):
            pacing.spend({"account ann of p": Quota(per_minute=60)}, 1)

    assert counted("quota_units_total", quota="account") - before == 3
    half = counted("quota_used_ratio_bucket", quota="account", le="0.5")
    assert half - half_before == 3
    assert counted("quota_used_ratio_count", quota="account") - all_before == 3


def test_what_came_of_a_record_is_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "workers.history")
    world.add_event()

    world.settle()

    noted = [r.getMessage() for r in caplog.records if r.name == "workers.history"]
    assert noted[0] == "Noted applied (event_created): create_task"
