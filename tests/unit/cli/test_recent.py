"""What is kept while it is used."""

from deploy.cli.recent import Recent
from tests import store_rows


def always(_: object) -> bool:
    """Take anything for good."""
    return True


def test_a_value_is_made_once_and_kept() -> None:
    kept: Recent[str, object] = Recent(2)

    first = kept.get("a", is_good=always, make=object)

    assert kept.get("a", is_good=always, make=object) is first


def test_a_value_that_is_no_longer_good_is_made_anew() -> None:
    kept: Recent[str, int] = Recent(2)
    kept.keep("a", 1)

    value = kept.get("a", is_good=lambda known: known > 1, make=lambda: 2)

    assert value == 2
    assert kept.find("a") == 2


def test_the_value_that_was_used_longest_ago_gives_way() -> None:
    kept: Recent[str, int] = Recent(2)
    kept.keep("a", 1)
    kept.keep("b", 2)
    kept.find("a")

    kept.keep("c", 3)

    assert [kept.find(key) for key in "abc"] == [1, None, 3]


def test_threads_that_come_at_once_get_the_same_value() -> None:
    kept: Recent[str, object] = Recent(2)

    values = store_rows.at_once(8, lambda _: kept.get("a", is_good=always, make=object))

    assert len(set(map(id, values))) == 1


def test_a_value_can_be_dropped() -> None:
    kept: Recent[str, int] = Recent(2)
    kept.keep("a", 1)

    kept.drop("a")
    kept.drop("b")

    assert kept.find("a") is None
