"""Time zones by name."""

from zoneinfo import ZoneInfo

import pytest

from shared.domain import zones


@pytest.mark.parametrize("name", ["UTC", "Europe/Zurich", "Asia/Calcutta"])
def test_names_of_the_database_are_known(name: str) -> None:
    assert zones.is_known(name)
    assert zones.zone(name) == ZoneInfo(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "Europe",
        "GMT+02:00",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/\x00",
        "\ud800",
        "W. Europe Standard Time",
    ],
)
def test_any_other_name_is_not_known(name: str) -> None:
    assert not zones.is_known(name)
    assert zones.zone(name) == ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("Europe/Zurich", "UTC"), "Europe/Zurich"),
        (("Mars/Olympus", "Europe/Zurich"), "Europe/Zurich"),
        ((None, "", "Asia/Tokyo"), "Asia/Tokyo"),
        ((None, "Mars/Olympus"), "UTC"),
        ((), "UTC"),
    ],
)
def test_the_first_name_that_is_known_counts(
    names: tuple[str | None, ...], first: str
) -> None:
    assert zones.first_known(*names) == first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Europe/Zurich", "Europe/Zurich"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("US/Pacific", "America/Los_Angeles"),
        ("Etc/UTC", "UTC"),
        ("Mars/Olympus", "Mars/Olympus"),
    ],
)
def test_two_names_of_one_zone_are_the_same(one: str, other: str) -> None:
    assert zones.same_zone(one, other)
    assert zones.same_zone(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Europe/Zurich", "America/New_York"),
        ("Europe/London", "UTC"),
        ("Europe/Zurich", "Africa/Tunis"),
        ("Europe/Zurich", "Europe/Helsinki"),
        ("Mars/Olympus", "UTC"),
        ("UTC", "Mars/Olympus"),
    ],
)
def test_zones_whose_clocks_ever_differed_are_not_the_same(
    one: str, other: str
) -> None:
    assert not zones.same_zone(one, other)
