"""The directory of a demo: what is kept there, and what is left alone."""

import json
from pathlib import Path

import pytest

from deploy.cli.demo import home
from shared.domain import errors

USERS = [{"crm_user_id": "u1", "email": "a@b.example", "google_account": "c@d.example"}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the demo is to live."""
    return tmp_path / "demo"


def test_a_new_demo_makes_up_its_secrets(path: Path) -> None:
    with home.opened(path, fresh=False) as new:
        kept = new.kept

    assert kept.users is None
    assert kept.webhook_secret.startswith("whsec_")
    assert len({kept.secret_key, kept.crm_api_key, kept.google_client_secret}) == 3


def test_a_restarted_demo_knows_all_that_was_kept(path: Path) -> None:
    with home.opened(path, fresh=False) as first:
        first.keep(users=USERS, admin_token="t", receiver_port=9000)  # noqa: S106 - made up
        before = first.kept

    with home.opened(path, fresh=False) as second:
        assert second.kept == before


def test_what_is_kept_is_for_its_owner_only(path: Path) -> None:
    with home.opened(path, fresh=False) as opened:
        opened.keep_variables({"SECRET_KEYS": "k"})

    modes = {
        name: (path / name).stat().st_mode & 0o777 for name in ("demo.json", ".env")
    }
    assert modes == {"demo.json": 0o600, ".env": 0o600}
    assert path.stat().st_mode & 0o077 == 0


def test_commands_find_their_variables_in_it(path: Path) -> None:
    with home.opened(path, fresh=False) as opened:
        opened.keep_variables({"PUBLIC_URL": "http://127.0.0.1:1", "AMQP_URL": "x y"})

    assert (path / ".env").read_text() == (
        "PUBLIC_URL='http://127.0.0.1:1'\nAMQP_URL='x y'\n"
    )


def test_a_demo_that_was_stopped_while_it_was_planted_begins_anew(path: Path) -> None:
    with home.opened(path, fresh=False) as first:
        half_planted(first)
        before = first.kept

    with home.opened(path, fresh=False) as second:
        assert second.kept != before
        assert not second.google.exists()


def half_planted(opened: home.Home) -> None:
    """Leave what a simulator wrote."""
    opened.google.mkdir()
    (opened.google / "calendar.db").touch()


def test_a_fresh_demo_begins_anew(path: Path) -> None:
    with home.opened(path, fresh=False) as first:
        half_planted(first)
        first.keep(users=USERS)

    with home.opened(path, fresh=True) as second:
        assert second.kept.users is None
        assert not second.google.exists()


def test_a_fresh_demo_leaves_files_that_are_not_its_own(path: Path) -> None:
    with home.opened(path, fresh=False) as first:
        first.keep(users=USERS)
    (path / "notes.txt").write_text("mine")

    with home.opened(path, fresh=True):
        pass

    assert (path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("fresh", [False, True])
def test_a_directory_of_somebody_else_is_refused(path: Path, *, fresh: bool) -> None:
    path.mkdir()
    (path / "thesis.tex").write_text("mine")

    with (
        pytest.raises(errors.ConfigurationError, match=r"--data: .* somebody else"),
        home.opened(path, fresh=fresh),
    ):
        pass

    assert [entry.name for entry in path.iterdir()] == ["thesis.tex"]


def test_two_demos_do_not_share_a_directory(path: Path) -> None:
    with (
        home.opened(path, fresh=False),
        pytest.raises(errors.ConfigurationError, match="--data: another demo runs"),
        home.opened(path, fresh=True),
    ):
        pass


def test_a_file_is_no_directory(path: Path) -> None:
    path.touch()

    with (
        pytest.raises(errors.ConfigurationError, match=r"--data: .* cannot be used"),
        home.opened(path, fresh=False),
    ):
        pass


def test_a_damaged_state_is_mended_by_a_fresh_start(path: Path) -> None:
    with home.opened(path, fresh=False):
        pass
    (path / "demo.json").write_text(json.dumps({"what": "is this"}))

    with (
        pytest.raises(errors.ConfigurationError, match="damaged; start with --fresh"),
        home.opened(path, fresh=False),
    ):
        pass

    with home.opened(path, fresh=True) as mended:
        assert mended.kept.users is None
