"""The API and its OpenAPI document say the same, whatever is sent."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import make_server

from deploy import migrations
from tests.unit.receiver import house as houses
from tests.unit.receiver.house import API, House

# What no schema can say.
RULES = [
    ("POST", "/connections", 422),  # the CRM must have such a user
    ("PATCH", "/connections/{connection_id}", 422),  # the account must have such a one
    ("PUT", "/crm", 422),  # the address must be one
    ("PUT", "/settings", 422),  # the default type must be switched on
    ("GET", "/links", 400),  # one of the two, not both
    ("POST", "/links/retry", 422),  # likewise
    ("POST", "/orphans/repair", 422),  # likewise
]
ACCEPTED = ["2xx", 401, 403, 404, 409]


@contextlib.contextmanager
def serving(house: House) -> Iterator[str]:
    """Yield the address of a server that runs while the block does."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def config(token: str) -> SchemathesisConfig:
    """Return how to test, always the same way."""
    rules = [
        {
            "include-name": f"{method} {API}{path}",
            "checks": {
                "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, status]}
            },
        }
        for method, path, status in RULES
    ]
    rules.append(
        {
            "include-name": f"POST {API}/google-app/check",
            # Google, which this asks, may not answer.
            "checks": {
                "not_a_server_error": {"expected-statuses": ["2xx", "4xx", 503]}
            },
        }
    )
    return SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {token}"},
            "seed": 1,
            "generation": {
                "max-examples": 5,
                "deterministic": True,
                "database": "none",
            },
            "phases": {"stateful": {"enabled": False}},
            "operations": rules,
        }
    )


def findings(event: Any) -> Iterator[str]:  # noqa: ANN401 - one of many
    """Return what an event of a run complains about."""
    if isinstance(event, events.NonFatalError | events.FatalError):
        yield str(getattr(event, "info", event))
    if isinstance(event, events.ScenarioFinished):
        for checks in event.recorder.checks.values():
            for check in checks:
                if (info := check.failure_info) is not None:
                    what = f"{event.label}: {check.name}: {info.failure.message}"
                    yield f"{what}\n{info.code_sample}"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a receiver on a new database."""
    with houses.standing(tmp_path / "store.db") as house:
        migrations.upgrade(house.store.engine)
        yield house


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_everything_that_is_sent_is_answered_as_documented(house: House) -> None:
    acme = house.organization()
    for user_id in ("u1", "u2"):
        house.user(acme, user_id)
    house.connection(acme)
    token = house.caller(acme).token
    for _ in range(50):  # a check of the Google app asks twice
        house.google.answer({"error": "invalid_grant"}, status=400)
        house.google.answer()
    sent = 0
    found: list[str] = []

    with serving(house) as url:
        schema = schemathesis.openapi.from_url(
            f"{url}{API}/openapi.json", config=config(token)
        )
        for event in from_schema(schema).execute():
            found.extend(findings(event))
            if isinstance(event, events.ScenarioFinished):
                sent += len(event.recorder.cases)

    assert found == []
    assert sent > 200
