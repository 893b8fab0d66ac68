"""Bringing the demo up, with tiny programs in the places of the real ones."""

import json
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.cli import foundation
from deploy.cli.demo import home, organization, seeding, staging
from deploy.cli.demo.addresses import Addresses
from deploy.cli.demo.staging import Stage
from deploy.cli.stopping import Wish
from deploy.cli.supervision import MisusedError, Supervisor
from tests import stub_server
from tests.unit.cli.cast import (
    FAILS,
    IS_MISUSED,
    IS_READY,
    PLANTED,
    RUNS,
    program,
    python,
    tiny,
)
from tests.unit.cli.console import USERS, Console


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Return where the tiny seed writes down what it was told."""
    return tmp_path / "notes"


@pytest.fixture
def google() -> Iterator[stub_server.StubServer]:
    """Return a server that answers in the place of the simulated Google."""
    with stub_server.running() as google:
        yield google


@pytest.fixture
def stage(
    console: Console,
    google: stub_server.StubServer,
    notes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    """Return a stage on which all goes well."""
    for name, value in console.environment.items():
        monkeypatch.setenv(name, value)
    console.crm.answer({})
    console.crm.answer({"items": USERS, "next_cursor": None})
    with (
        home.opened(tmp_path / "demo", fresh=False) as opened,
        Supervisor(grace_seconds=5) as supervisor,
        foundation.opened() as base,
    ):
        yield Stage(
            base=base,
            home=opened,
            where=Addresses(
                receiver_port=9, google_port=port(google), crm_port=port(console.crm)
            ),
            cast=tiny(notes),
            supervisor=supervisor,
            wish=Wish(),
            say=lambda _: None,
        )


def port(server: stub_server.StubServer) -> int:
    """Return the port that a server of the test listens on."""
    return urlsplit(server.url).port or 0


def told(notes: Path) -> list[dict[str, str]]:
    """Return what the tiny seed was told, step by step."""
    return [json.loads(line) for line in notes.read_text().splitlines()]


def test_a_new_demo_is_planted_then_connected(stage: Stage, notes: Path) -> None:
    stage.bring_up()

    assert [each["step"] for each in told(notes)] == ["plant", "connect"]
    assert stage.home.kept.users == PLANTED


def test_the_seed_is_told_how_to_get_in(stage: Stage, notes: Path) -> None:
    stage.bring_up()

    kept, where = stage.home.kept, stage.where
    assert told(notes)[-1] == {
        "step": "connect",
        "receiver": where.receiver,
        "google": where.google,
        "crm": where.crm,
        "crm_api_key": kept.crm_api_key,
        "admin_token": kept.admin_token,
        "google_client_id": kept.google_client_id,
        "google_client_secret": kept.google_client_secret,
    }


def test_a_demo_that_goes_on_is_not_planted_again(stage: Stage, notes: Path) -> None:
    stage.home.keep(users=PLANTED)

    stage.bring_up()

    assert [each["step"] for each in told(notes)] == ["connect"]


def test_the_organization_has_the_users_of_the_crm(stage: Stage) -> None:
    stage.bring_up()

    with stage.base.store.read() as work:
        row = work.organizations.by_name(organization.NAME)
        assert row is not None
        assert work.users.of(row.id, "u1") is not None


def test_a_seed_that_fails_ends_the_demo(stage: Stage) -> None:
    broken = replace(stage, cast=replace(stage.cast, seed=python(FAILS)))

    with pytest.raises(seeding.SeedingError, match="plant did not succeed"):
        broken.bring_up()

    assert stage.home.kept.users is None


def test_a_user_who_cannot_be_connected_again_does_not_end_it(stage: Stage) -> None:
    stage.home.keep(users=PLANTED)
    broken = replace(stage, cast=replace(stage.cast, seed=python(FAILS)))

    broken.bring_up()

    assert stage.supervisor.are_ready("product")


def test_a_program_that_is_misused_ends_the_demo(stage: Stage) -> None:
    misused = replace(stage.cast, crm=program("crm", IS_MISUSED))
    # Without an answer, it is waited for.
    away = replace(stage, cast=misused, where=replace(stage.where, crm_port=9))

    with pytest.raises(MisusedError):
        away.bring_up()


def test_a_wish_to_stop_is_granted_while_it_waits(stage: Stage) -> None:
    silent = replace(stage, cast=replace(stage.cast, product=program("product", RUNS)))
    threading.Timer(0.3, lambda: setattr(stage.wish, "is_there", True)).start()

    with pytest.raises(staging.StoppedError):
        silent.bring_up()


def test_a_part_that_does_not_come_up_is_named(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_PATIENCE_SECONDS", 0.2)
    away = replace(stage, where=replace(stage.where, google_port=9))

    with pytest.raises(staging.TooSlowError, match="google did not start"):
        away.bring_up()


def test_the_product_stops_before_what_it_talks_to(stage: Stage, notes: Path) -> None:
    notes_end = """
        import pathlib, signal, sys
        def end(*_):
            with pathlib.Path(sys.argv[1]).open("a") as notes:
                notes.write(sys.argv[2] + chr(10))
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
    """
    begins = textwrap.dedent(notes_end)
    ready = begins + textwrap.dedent(IS_READY)
    cast = replace(
        stage.cast,
        google=replace(
            stage.cast.google,
            command=python(begins + RUNS, str(notes), "google"),
        ),
        product=replace(
            stage.cast.product, command=python(ready, str(notes), "product")
        ),
    )
    played = replace(stage, cast=cast)
    played.bring_up()
    notes.unlink()

    played.take_down()

    assert notes.read_text().splitlines() == ["product", "google"]
