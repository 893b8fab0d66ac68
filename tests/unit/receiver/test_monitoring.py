"""Liveness, readiness, metrics, and what every answer carries."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import prometheus_client
import pytest
from flask import Flask

from shared.adapters.broker_local import LocalBroker
from shared.adapters.store import tables
from shared.domain import errors
from tests.unit.receiver.house import API, House
from webhook_receiver import monitoring
from webhook_receiver.app import create_app


def test_a_process_that_answers_is_alive(house: House) -> None:
    answer = house.browser().get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_it_is_ready_when_database_and_broker_answer(house: House) -> None:
    answer = house.browser().get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


def test_it_is_not_ready_without_the_broker(house: House) -> None:
    house.is_broker_down = True

    answer = house.browser().get("/readyz")

    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["errors"] == [
        {"field": "broker", "detail": "does not answer"}
    ]


def test_it_is_not_ready_when_a_check_that_it_was_given_fails(house: House) -> None:
    def check_schema() -> None:
        raise errors.SyncError

    services = replace(house.services, checks={"schema": check_schema})
    app = Flask("probe")
    app.register_blueprint(monitoring.Monitoring(services).blueprint())

    answer = app.test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["errors"] == [
        {"field": "schema", "detail": "is not as it has to be"}
    ]


class StalledBroker(LocalBroker):
    """A broker that answers nobody until it is let go."""

    released = threading.Event()

    def ping(self) -> None:
        """Wait."""
        self.released.wait(30)


def test_a_broker_that_hangs_does_not_hang_the_probe(house: House) -> None:
    broker = StalledBroker(lambda: house.store.engine, house.clock)
    services = replace(house.services, broker=broker)
    app = Flask("probe")
    probe = monitoring.Monitoring(services, patience_seconds=0.05)
    app.register_blueprint(probe.blueprint())

    answer = app.test_client().get("/readyz")

    broker.released.set()
    assert answer.status_code == 503
    assert answer.get_json()["errors"] == [
        {"field": "broker", "detail": "did not answer in time"}
    ]


def test_metrics_tell_how_webhooks_were_answered(house: House) -> None:
    name = "calendar_sync_webhooks_total"
    labels = {"source": "google", "status": "401"}
    before = prometheus_client.REGISTRY.get_sample_value(name, labels) or 0

    house.browser().post("/webhooks/google")

    answer = house.browser().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    line = f'{name}{{source="google",status="401"}} {before + 1}'
    assert line in answer.text


def test_metrics_of_all_processes_are_added_up(tmp_path: Path) -> None:
    count = "from shared import metrics; metrics.webhooks.labels('crm', 202).inc()"
    show = (
        "import prometheus_client as p; from webhook_receiver import monitoring; "
        "print(p.generate_latest(monitoring.registry()).decode())"
    )
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    for _ in range(2):
        run(count, environment)

    line = 'calendar_sync_webhooks_total{source="crm",status="202"} 2.0'
    assert line in run(show, environment)


def run(code: str, environment: dict[str, str]) -> str:
    """Run code in a process of its own and return what it prints."""
    return subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize(
    "path",
    ["/", "/me", "/nowhere", "/healthz", "/static/style.css", f"{API}/openapi.json"],
)
def test_every_answer_carries_the_security_headers(house: House, path: str) -> None:
    headers = house.browser().get(path, buffered=True).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("path", ["/me", f"{API}/settings", f"{API}/callback"])
def test_what_concerns_somebody_is_never_cached(house: House, path: str) -> None:
    assert house.browser().get(path).headers["Cache-Control"] == "no-store"


def test_behind_https_browsers_are_told_to_stay_there(
    house: House, acme: tables.Organization
) -> None:
    services = replace(house.services, public_url="https://sync.example")
    app = create_app(services)
    code = house.login_code(acme)

    answer = app.test_client().get(f"/login?code={code}", base_url=services.public_url)

    assert "max-age" in answer.headers["Strict-Transport-Security"]
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("path", [f"{API}/nowhere", "/webhooks/nowhere"])
def test_machines_get_problems(house: House, path: str) -> None:
    answer = house.browser().get(path)

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["status"] == 404


def test_people_get_pages(house: House) -> None:
    answer = house.browser().get("/nowhere")

    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "<h1>Not Found</h1>" in answer.text


def test_what_needs_a_database_that_is_away_is_to_be_tried_again(
    house: House, acme: tables.Organization
) -> None:
    caller = house.caller(acme)
    with house.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE api_tokens RENAME TO gone")

    answer = caller.get("/settings")

    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"


def test_a_key_that_is_missing_is_the_operators_to_mend(
    house: House, acme: tables.Organization, caplog: pytest.LogCaptureFixture
) -> None:
    caller = house.caller(acme)
    with house.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE organizations SET crm_api_key = 'x'")

    answer = caller.get("/settings")

    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    (record,) = caplog.records
    assert "SECRET_KEYS" in record.getMessage()
    assert record.exc_info is None


def test_the_document_needs_no_authentication(house: House) -> None:
    document = house.browser().get(f"{API}/openapi.json").get_json()

    assert document["openapi"].startswith("3.1")
    assert f"{API}/settings" in document["paths"]
    operations = [o for path in document["paths"].values() for o in path.values()]
    assert all(o["security"] == [{"token": []}] for o in operations)
    assert all(o["summary"] for o in operations)
