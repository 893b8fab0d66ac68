"""Files that must agree with each other, and with the product, do."""

import inspect
import re
from typing import Any

from deploy.cli import receiver
from shared.adapters import google_calendar
from tests import deployment
from webhook_receiver import bodies

MARGIN_SECONDS = 5
TRIES = 3
"""Of a read that Google does not answer."""


def longest_read_seconds() -> float:
    """Return how long a handler may wait for one answer, all tries together."""
    signature = inspect.signature(google_calendar.GoogleCalendarApi)
    return TRIES * float(signature.parameters["timeout_seconds"].default)


def seconds(text: str) -> int:
    """Return the seconds of a duration as compose writes it."""
    return int(text.removesuffix("s"))


def port_of(line: list[str]) -> int:
    """Return where a receiver listens."""
    return int(deployment.parsed(line).params["port"])


def test_receivers_may_finish_their_requests() -> None:
    needed = receiver.GRACE_SECONDS + MARGIN_SECONDS
    serve = deployment.pods()["serve"]
    (container,) = serve["containers"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])

    stop = deployment.units()["serve@"].settings["TimeoutStopSec"]
    assert int(stop) >= needed
    assert seconds(deployment.processes()["receiver"]["stop_grace_period"]) >= needed
    assert serve["terminationGracePeriodSeconds"] >= pause + needed


def test_workers_may_finish_what_they_have_in_hand() -> None:
    needed = longest_read_seconds() + MARGIN_SECONDS
    pods = deployment.pods()

    assert int(deployment.units()["work@"].settings["TimeoutStopSec"]) >= needed
    assert seconds(deployment.processes()["work"]["stop_grace_period"]) >= needed
    assert pods["work"]["terminationGracePeriodSeconds"] >= needed
    assert pods["work-backfill"]["terminationGracePeriodSeconds"] >= needed


def test_caddy_and_the_health_check_ask_the_port_of_the_receiver() -> None:
    service = deployment.processes()["receiver"]
    port = port_of(service["command"])

    assert f"reverse_proxy receiver:{port} " in deployment.CADDYFILE.read_text()
    assert f"http://127.0.0.1:{port}/readyz" in service["healthcheck"]["test"][-1]


def test_nginx_asks_the_receivers_that_the_readme_starts() -> None:
    upstream = re.findall(r"server 127\.0\.0\.1:(\d+)", deployment.NGINX.read_text())
    readme = (deployment.DEPLOY / "README.md").read_text()
    default = deployment.units()["serve@"].settings["DefaultInstance"]

    started = re.findall(r"calendar-sync-serve@(\d+)", readme)

    assert default in upstream
    assert sorted(set(started)) == sorted(upstream)


def test_everybody_in_kubernetes_knows_the_receivers_port() -> None:
    container = deployment.containers()["serve"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    (service_port,) = deployment.of_kind("Service")["calendar-sync"]["spec"]["ports"]
    policy = deployment.of_kind("NetworkPolicy")["calendar-sync-serve"]
    (rule,) = policy["spec"]["ingress"]

    assert ports["http"] == port_of(container["args"])
    assert service_port["targetPort"] == "http"
    assert rule["ports"] == [{"port": ports["http"]}]


def test_everybody_knows_the_port_of_the_metrics() -> None:
    found = re.search(r"METRICS_PORT=(\d+)", deployment.DOCKERFILE.read_text())
    assert found is not None
    port = int(found[1])
    policy = deployment.of_kind("NetworkPolicy")["calendar-sync"]["spec"]

    for name, container in deployment.containers().items():
        if name != "migrate":
            ports = [one["containerPort"] for one in container["ports"]]
            assert port in ports, name
    assert [rule["ports"] for rule in policy["ingress"]] == [[{"port": port}]]


def test_the_proxies_let_through_what_the_receiver_takes() -> None:
    nginx = re.search(r"client_max_body_size (\d+)k;", deployment.NGINX.read_text())
    caddy = re.search(r"max_size (\d+)KB", deployment.CADDYFILE.read_text())
    assert nginx is not None
    assert caddy is not None

    assert int(nginx[1]) * 1024 > bodies.LARGEST
    assert int(caddy[1]) * 1000 > bodies.LARGEST


def test_every_probe_asks_what_its_process_answers() -> None:
    paths: dict[str, set[Any]] = {
        name: {
            (probe["httpGet"]["path"], probe["httpGet"]["port"])
            for key, probe in container.items()
            if key.endswith("Probe")
        }
        for name, container in deployment.containers().items()
    }

    assert paths == {
        "serve": {("/healthz", "http"), ("/readyz", "http")},
        "work": {("/metrics", "metrics")},
        "work-backfill": {("/metrics", "metrics")},
        "periodic": {("/metrics", "metrics")},
        "migrate": set(),
    }
