"""The soak that `make load` runs for an hour, for half a minute: it must not rot."""

import time

import pytest

from tests.e2e.system import ANN, PEOPLE, System, eventually
from tests.soak import faults, gauges, report
from tests.soak.crowd import Crowd

SAFETY_POLL_SECONDS = 3
"""What a notification that was dropped is found after."""

_SECONDS = 32.0
_FAULT_SECONDS = 6.0
_TROUBLES = 4
"""So many come in this time, even on a busy machine: killed processes among them."""

_SPOILED = 20
_DRAIN_SECONDS = 100.0
"""A change that met three faults in a row waits a minute for its next try."""
_RATE = 4.0


@pytest.mark.timeout(_SECONDS + 3 * _DRAIN_SECONDS)
@pytest.mark.parametrize("system", ["production"], indirect=True)
def test_a_crowd_and_faults_leave_what_the_crowd_expects(system: System) -> None:
    crowd, troubles = Crowd(system, PEOPLE, 1), faults.Troubles()

    with (
        gauges.watching(system, list(system.names), ANN, troubles) as seen,
        faults.every(system, _FAULT_SECONDS, _SPOILED, troubles),
        crowd.busy(_RATE),
    ):
        time.sleep(_SECONDS)  # the load itself

    def assert_settled() -> None:
        outcome = crowd.compare()
        assert not outcome.lost
        assert not outcome.duplicates

    eventually(assert_settled, _DRAIN_SECONDS, look_seconds=1.0)
    eventually(system.assert_quiet, _DRAIN_SECONDS)
    assert not system.google.ask("mails")["mails"]
    assert troubles.count >= _TROUBLES
    assert crowd.made.total() >= 0.9 * _RATE * _SECONDS
    assert set(report.memory(seen, _SECONDS / 60)) == set(system.names)
    assert seen.arrivals
