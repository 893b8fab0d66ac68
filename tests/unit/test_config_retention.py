"""For how long what is over is kept, as the environment says it."""

from datetime import timedelta

import pytest

from deploy.cli import foundation, worker_parts
from shared.config import Config
from shared.domain import errors
from workers.services import Kept

VARIABLES = ("HISTORY_DAYS", "CONFLICTS_DAYS", "DEAD_LETTERS_DAYS")


@pytest.fixture(autouse=True)
def _nothing_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("config"))
    for name in ("DATABASE_URL", "AMQP_URL", "SECRET_KEYS", *VARIABLES):
        monkeypatch.delenv(name, raising=False)


def _kept() -> Kept:
    with foundation.opened() as base:
        return worker_parts.services(base).kept


def test_it_is_kept_for_a_quarter_and_dead_letters_for_a_year() -> None:
    assert _kept() == Kept(
        history=timedelta(days=90),
        conflicts=timedelta(days=90),
        dead_letters=timedelta(days=365),
    )


def test_no_days_are_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "0")

    assert _kept() == Kept()


@pytest.mark.parametrize("value", ["-1", "36501", "a week", "1.5"])
@pytest.mark.parametrize("name", VARIABLES)
def test_what_is_no_number_of_days_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(errors.ConfigurationError) as caught:
        Config.from_environment()

    (problem,) = caught.value.problems
    assert problem.startswith(f"{name}: ")
