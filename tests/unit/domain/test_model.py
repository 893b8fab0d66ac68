"""Values refuse what they cannot mean."""

from dataclasses import FrozenInstanceError
from datetime import datetime

import pytest

from shared.domain.model import Timed
from tests.unit.domain.records import NOON, meeting

NAIVE = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(("start", "end"), [(NAIVE, NOON), (NOON, NAIVE)])
def test_a_time_without_offset_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="must carry an offset"):
        Timed(start=start, end=end, zone="UTC")


def test_a_value_cannot_be_changed() -> None:
    value = meeting()

    with pytest.raises(FrozenInstanceError):
        value.title = "Dinner"  # type: ignore[misc] # what is refused
