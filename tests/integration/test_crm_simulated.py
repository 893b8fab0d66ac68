"""The CRM adapter in front of the simulated CRM keeps the contract."""

from collections.abc import Iterator, Sequence

import pytest
import requests

from shared.adapters import crm
from tests import clocks, crm_contract, simulators

API_KEY = "key-of-the-contract"
SECRET = "whsec_" + "c2ltdWxhdGVkLWNybS13ZWJob29r"


class SimulatedCrmWorld:
    """The simulated CRM, reached over HTTP."""

    def __init__(self, simulator: simulators.Simulator, user_id: str) -> None:
        """Act as the organization's integration, and as one of its users."""
        self._simulator = simulator
        self._api_url = f"{simulator.url}/api/v1"
        self.user_id = user_id
        self.crm = crm.CrmClient(self._api_url, API_KEY, clocks.SystemClock())

    def delete_task(self, task_id: str) -> None:
        """Delete it by the API, which the port does not do."""
        headers = {"Authorization": f"Bearer {API_KEY}"}
        url = f"{self._api_url}/tasks/{task_id}"
        requests.delete(url, headers=headers, timeout=10).raise_for_status()

    def notifications(self, user_id: str) -> Sequence[str]:
        """Read what the user sees."""
        answer = self._simulator.ask("notifications", user_id=user_id)
        return [message["title"] for message in answer["notifications"]]

    def lose_next_answer(self) -> None:
        """Order the failure."""
        self._simulator.order("faults", match={}, times=1, apply_then_fail="drop")


@pytest.fixture(scope="module")
def simulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[simulators.Simulator]:
    """Return a simulated CRM with one user, whose webhooks nobody takes."""
    options = ["--api-key", API_KEY, "--webhook-secret", SECRET]
    with simulators.running(
        "deploy.demo.crm",
        *options,
        "--webhook-url",
        "http://127.0.0.1:9/nobody",
        data=tmp_path_factory.mktemp("crm"),
    ) as running:
        running.order(
            "users", id="ann", email="ann@example.com", name="Ann", time_zone="UTC"
        )
        yield running


class TestCrmClient(crm_contract.CrmContract):
    """The adapter in front of the simulated CRM."""

    @pytest.fixture
    def world(self, simulator: simulators.Simulator) -> SimulatedCrmWorld:
        """Return the CRM; tests tell their tasks apart by themselves."""
        return SimulatedCrmWorld(simulator, "ann")
