"""`calendar-sync demo` as people start it: three users, both directions."""

import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.demo import (
    COMMAND,
    MARK,
    STOP_SECONDS,
    Demo,
    clean_environment,
    commands_with,
    started,
    wait_for,
)
from tests.services import processes

pytestmark = pytest.mark.timeout(600)


def assert_in_step(demo: Demo, title: str, user_id: str) -> None:
    """Create a task, see its event, rename that, and see the task follow."""
    account = demo.account(user_id)
    demo.create_task(title, owner=user_id)
    wait_for(lambda: title in demo.events(account))
    renamed = f"{title}, renamed"

    demo.rename_event(account, demo.events(account)[title]["id"], renamed)

    wait_for(lambda: renamed in demo.tasks())
    assert title not in demo.tasks()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the demo of this module is kept."""
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def demo(data: Path) -> Iterator[Demo]:
    """Return a demo that was started for the first time."""
    with started(data) as demo:
        yield demo


def test_the_line_says_how_to_reach_everything(demo: Demo) -> None:
    assert set(demo.said) == {
        "receiver",
        "google",
        "crm",
        "crm_api_key",
        "organization",
        "admin_token",
        "users",
    }
    for name in ("receiver", "google", "crm"):
        assert requests.get(f"{demo.said[name]}/healthz", timeout=10).ok
    assert requests.get(f"{demo.said['receiver']}/readyz", timeout=10).ok


def test_everybody_is_connected_and_notified(demo: Demo) -> None:
    found = demo.connections()

    assert {found[u["crm_user_id"]]["state"] for u in demo.said["users"]} == {"active"}
    assert all(connection["channel"] for connection in found.values())
    for user in demo.said["users"]:
        assert found[user["crm_user_id"]]["google_account"] == user["google_account"]


def test_the_first_syncs_are_over_and_nothing_failed(demo: Demo) -> None:
    assert demo.jobs(state="running") == []
    assert demo.jobs(has_errors="true") == []


def test_what_was_planted_is_on_both_sides(demo: Demo) -> None:
    tasks, events = demo.tasks(), demo.events(demo.account("anna"))

    assert "Product demo for Kestrel Energy" in events
    assert "Prepare the Brightline review" in tasks
    assert "Pipeline review" in tasks
    # Private, of a type that is switched off, or without a date.
    assert "Dentist" not in tasks
    assert "Call Mr. Osei back about the offer" not in events
    assert "Update the price list" not in events


def test_meetings_follow_in_both_directions(demo: Demo) -> None:
    assert_in_step(demo, "Ad hoc meeting", "ben")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """How a demo ended, and what it had said when it came up."""

    code: int
    left_behind: list[str]
    said: Mapping[str, Any]


@pytest.fixture(scope="module")
def stopped(demo: Demo) -> Stopped:
    """Return a demo that was stopped after somebody had played with it."""
    assert_in_step(demo, "Played with", "anna")
    code = demo.stop()
    return Stopped(code=code, left_behind=demo.left_behind(), said=demo.said)


def test_a_stopped_demo_leaves_no_process_behind(stopped: Stopped) -> None:
    assert (stopped.code, stopped.left_behind) == (0, [])


def test_a_stopped_demo_goes_on_at_other_ports(data: Path, stopped: Stopped) -> None:
    with started(data) as again:
        assert again.said["receiver"] != stopped.said["receiver"]
        for kept in ("admin_token", "crm_api_key", "users"):
            assert again.said[kept] == stopped.said[kept]
        assert "Played with, renamed" in again.tasks()
        assert_in_step(again, "Meeting at other ports", "chitra")


def test_a_fresh_demo_has_forgotten_everything(data: Path, stopped: Stopped) -> None:
    with started(data, "--fresh") as fresh:
        assert fresh.said["admin_token"] != stopped.said["admin_token"]
        assert "Played with, renamed" not in fresh.tasks()
        assert "Product demo for Kestrel Energy" in fresh.events(fresh.account("anna"))


def test_a_killed_demo_takes_everything_with_it(tmp_path: Path) -> None:
    with started(tmp_path / "data") as demo:
        demo.stop(signal.SIGKILL)

        wait_for(lambda: demo.left_behind() == [])


def test_ctrl_c_stops_everything_while_it_starts(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    process = subprocess.Popen(  # noqa: S603 - our own command
        [
            COMMAND,
            "demo",
            f"--port-base={processes.free_row(3)}",
            f"--data={tmp_path}/d",
        ],
        cwd=tmp_path,
        env={**clean_environment(), MARK: mark},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "Starting" in process.stderr.readline()

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=STOP_SECONDS)

    assert process.returncode == 0
    assert said.splitlines()[-1] == "Stopping ..."
    assert list(commands_with(f"{MARK}={mark}")) == []


def test_it_runs_on_services_that_are_named(
    tmp_path: Path, rabbitmq_url: str, postgres_url: str
) -> None:
    services = {"AMQP_URL": rabbitmq_url, "DATABASE_URL": postgres_url}

    with started(tmp_path / "data", **services) as demo:
        assert_in_step(demo, "Meeting over RabbitMQ", "anna")
        assert not list(tmp_path.rglob("calendar-sync.db"))

    with started(tmp_path / "data", "--fresh", **services) as fresh:
        assert "Meeting over RabbitMQ, renamed" not in fresh.tasks()
