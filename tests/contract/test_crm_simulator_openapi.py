"""The simulated CRM and `crm-api.yaml` say the same, whatever is sent."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from deploy.demo import server
from deploy.demo.crm import app
from tests.contract.crm_simulator import ANN, BOB, KEY, Crm

# What the contract says in words only, and what good input may meet all the same.
IN_WORDS: Mapping[tuple[str, str], list[int]] = {
    ("/tasks", "get"): [400],  # a cursor that is not ours
    ("/tasks", "post"): [400, 409, 422],  # no key; an event that is taken
    ("/tasks/{id}", "get"): [404],
    ("/tasks/{id}", "patch"): [404, 409, 410, 412, 422],
    ("/tasks/{id}", "delete"): [404, 410],
    ("/users", "get"): [400],
    ("/users/{id}/notifications", "post"): [404],
}
CHANGE = {
    "allOf": [
        {"$ref": "#/components/schemas/TaskWrite"},
        {
            "anyOf": [
                {"properties": {"due_at": {"type": "null"}}},
                {"properties": {"due_date": {"type": "null"}}},
            ]
        },
    ]
}
NEW_TASK = {"allOf": [*CHANGE["allOf"], {"required": ["type", "title", "owner_id"]}]}
# What no good input meets.
FOR_BAD_INPUT = [400, 401, 422]


def document(kept: Sequence[str], doomed: Sequence[str]) -> dict[str, Any]:
    """Return the contract with what it says in words, and the ids that there are.

    Of the tasks, `doomed` ones may be deleted, `kept` ones read and changed.
    """
    found: dict[str, Any] = schemathesis.openapi.from_path(app.CONTRACT).raw_schema
    for (path, method), statuses in IN_WORDS.items():
        responses = found["paths"][path][method]["responses"]
        for status in {*statuses, *FOR_BAD_INPUT}:
            responses.setdefault(str(status), {"description": "In words."})
    fields = found["components"]["schemas"]["TaskWrite"]["properties"]
    fields["owner_id"] = {"enum": [ANN, BOB]}
    fields["time_zone"] = {"enum": [None, "Europe/Berlin", "America/Lima"]}
    for name in ("type", "title"):
        fields[name]["pattern"] = r"\S"
    for path, method, body in (
        ("/tasks", "post", NEW_TASK),
        ("/tasks/{id}", "patch", CHANGE),
    ):
        found["paths"][path][method]["requestBody"]["content"] = {
            "application/json": {"schema": body}
        }
    (task_id,) = found["paths"]["/tasks/{id}"].pop("parameters")
    for method, ids in (("get", kept), ("patch", kept), ("delete", doomed)):
        operation = found["paths"]["/tasks/{id}"][method]
        operation.setdefault("parameters", []).append(
            task_id | {"schema": {"enum": [*ids]}}
        )
    (user_id,) = found["paths"]["/users/{id}/notifications"]["post"]["parameters"]
    user_id["schema"] = {"enum": [ANN, BOB]}
    return found


def config(url: str) -> SchemathesisConfig:
    """Return how to test, always the same way."""
    operations = [
        {
            "include-name": f"{method.upper()} {path}",
            "checks": {
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", 401, *statuses]
                },
                # A task that is gone or has moved on is said before its new fields are.
                "negative_data_rejection": {
                    "expected-statuses": [*FOR_BAD_INPUT, 404, 405, 410, 412]
                },
            },
        }
        for (path, method), statuses in IN_WORDS.items()
    ]
    return SchemathesisConfig.from_dict(
        {
            "base-url": url,
            "headers": {"Authorization": f"Bearer {KEY}"},
            "seed": 1,
            "generation": {
                "max-examples": 8,
                "deterministic": True,
                "database": "none",
            },
            # A deleted task can still be read, for 30 days.
            "checks": {"use_after_free": {"enabled": False}},
            "operations": operations,
        }
    )


@contextlib.contextmanager
def serving(crm: Crm) -> Iterator[str]:
    """Yield the address of the API, served as the process does it."""
    listening = server.make_server("127.0.0.1", 0, crm.client.application)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.port}/api/v1"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


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


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_whatever_is_sent_is_answered_as_the_contract_says() -> None:
    crm = Crm()
    kept, doomed = ([crm.create()["id"] for _ in range(3)] for _ in range(2))
    found: list[str] = []

    with serving(crm) as url:
        schema = schemathesis.openapi.from_dict(
            document(kept, doomed), config=config(url)
        )
        for event in from_schema(schema).execute():
            found.extend(findings(event))

    assert not found, "\n\n".join(found)
    answered = {
        (row["operation"], row["status"]) for row in crm.ask("requests")["requests"]
    }
    assert {
        ("tasks.list", 200),
        ("tasks.create", 201),
        ("tasks.create", 422),
        ("tasks.get", 200),
        ("tasks.update", 200),
        ("tasks.update", 412),
        ("tasks.delete", 204),
        ("tasks.delete", 410),
        ("users.list", 200),
        ("users.notify", 202),
    } <= answered


def test_the_contract_can_be_read_where_it_is_kept_to() -> None:
    crm = Crm()

    with crm.client.get("/crm-api.yaml") as answer:
        read = answer.get_data(as_text=True)

    assert answer.content_type.startswith("application/yaml")
    assert read == app.CONTRACT.read_text(encoding="utf-8")
