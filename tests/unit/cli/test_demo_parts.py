"""The small parts of the demo: addresses, variables, programs, and what it says."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cli.demo import home, programs, report, variables
from deploy.cli.demo.addresses import Addresses
from shared.config import Config
from shared.domain import errors
from tests.services import processes

WHERE = Addresses.in_a_row(9080)
USERS = [{"crm_user_id": "u1", "email": "a@b.example", "google_account": "c@d.example"}]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give each test an environment that knows nothing of us."""
    before = dict(os.environ)
    ours = [name.upper() for name in Config.model_fields]
    for name in (*ours, "NO_PROXY", "no_proxy"):
        os.environ.pop(name, None)
    monkeypatch.chdir(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[home.Home]:
    """Return the directory of a demo."""
    with home.opened(tmp_path / "demo", fresh=False) as opened:
        opened.keep(users=USERS, admin_token="token-of-the-admin")  # noqa: S106 - made up
        yield opened


# -- addresses --------------------------------------------------------------------


def test_the_parts_listen_on_three_ports_in_a_row() -> None:
    found = (WHERE.receiver, WHERE.google, WHERE.crm)

    assert found == tuple(f"http://127.0.0.1:{port}" for port in (9080, 9081, 9082))


def test_every_port_that_is_in_use_is_named() -> None:
    base = processes.free_row(3)
    with (
        socket.create_server(("127.0.0.1", base)),
        socket.create_server(("127.0.0.1", base + 2)),
        pytest.raises(errors.ConfigurationError) as refused,
    ):
        Addresses.in_a_row(base).check()

    assert [problem.split(" (")[0] for problem in refused.value.problems] == [
        f"--port-base: cannot listen on 127.0.0.1:{base}",
        f"--port-base: cannot listen on 127.0.0.1:{base + 2}",
    ]


# -- variables --------------------------------------------------------------------


def test_the_product_is_pointed_to_the_simulators(opened: home.Home) -> None:
    variables.put(opened, WHERE)

    config = Config.from_environment()
    assert config.public_url == WHERE.receiver
    assert config.push_address == f"{WHERE.receiver}/webhooks/google"
    assert config.google_api_url == WHERE.google
    assert config.google_auth_url == f"{WHERE.google}/o/oauth2/v2/auth"
    assert config.google_token_url == f"{WHERE.google}/token"
    assert config.google_revoke_url == f"{WHERE.google}/revoke"
    assert config.secret_keys[0].get_secret_value() == opened.kept.secret_key


def test_a_demo_is_embedded_and_quiet_unless_it_is_told(opened: home.Home) -> None:
    variables.put(opened, WHERE)

    config = Config.from_environment()
    assert config.is_embedded
    assert config.data_directory == opened.product
    assert config.log_level == "warning"


def test_services_that_are_named_are_used(opened: home.Home) -> None:
    os.environ["DATABASE_URL"] = "postgresql://u:p@127.0.0.1/demo"
    os.environ["LOG_LEVEL"] = "debug"
    Path(".env").write_text("AMQP_URL=amqp://u:p@127.0.0.1/demo\nPUBLIC_URL=http://a\n")

    variables.put(opened, WHERE)

    config = Config.from_environment()
    assert config.database_url == "postgresql+psycopg2://u:p@127.0.0.1/demo"
    assert config.amqp_url == "amqp://u:p@127.0.0.1/demo"
    assert (config.log_level, config.public_url) == ("debug", WHERE.receiver)


def test_no_proxy_stands_between_the_parts(opened: home.Home) -> None:
    os.environ["NO_PROXY"] = "intranet.example"

    variables.put(opened, WHERE)

    assert os.environ["NO_PROXY"] == "intranet.example,127.0.0.1"
    assert os.environ["no_proxy"] == "127.0.0.1"


def test_commands_in_the_directory_of_the_demo_meet_it(
    opened: home.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables.put(opened, WHERE)
    inside = Config.from_environment()

    opened.keep_variables(variables.of_commands(WHERE))

    for name in variables.of_commands(WHERE):
        del os.environ[name]
    monkeypatch.chdir(opened.path)
    outside = Config.from_environment()
    assert outside.model_copy(update={"log_level": "warning"}) == inside


# -- programs ---------------------------------------------------------------------


def test_the_crm_sends_its_webhooks_to_the_organization(opened: home.Home) -> None:
    command = list(programs.cast(opened, WHERE).crm.command)

    address = command[command.index("--webhook-url") + 1]
    assert address == f"{WHERE.receiver}/webhooks/crm/demo"


def test_every_program_has_a_port_of_its_own(opened: home.Home) -> None:
    cast = programs.cast(opened, WHERE)

    commands = [list(p.command) for p in (cast.product, cast.google, cast.crm)]
    ports = [command[command.index("--port") + 1] for command in commands]
    assert ports == ["9080", "9081", "9082"]


# -- what it says -----------------------------------------------------------------


def test_programs_are_told_everything_in_one_line(opened: home.Home) -> None:
    line = report.line(opened, WHERE)

    assert "\n" not in line
    assert json.loads(line) == {
        "receiver": "http://127.0.0.1:9080",
        "google": "http://127.0.0.1:9081",
        "crm": "http://127.0.0.1:9082",
        "crm_api_key": opened.kept.crm_api_key,
        "organization": "demo",
        "admin_token": "token-of-the-admin",
        "users": USERS,
    }


def test_people_are_told_what_to_open(opened: home.Home) -> None:
    text = report.invitation(opened, WHERE, "http://127.0.0.1:9080/login?code=c")

    for shown in (WHERE.crm, WHERE.google, "/login?code=c", "a@b.example", "Ctrl-C"):
        assert shown in text
    assert f"cd {opened.path} && {sys.prefix}/bin/calendar-sync doctor" in text
