"""What is written about a busy system: complete, under one id, and without secrets."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from tests import services, stub_server, watching
from tests.e2e.system import eventually
from tests.e2e.watched import TEXTS, WatchedSystem

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedSystem]:
    """Return a system that has been through a lot."""
    with (
        services.database() as database_url,
        services.virtual_host() as amqp_url,
        stub_server.running() as collector,
        WatchedSystem(
            tmp_path_factory.mktemp("watched"),
            collector,
            database_url=database_url,
            amqp_url=amqp_url,
        ) as running,
    ):
        running.live_through()
        yield running


def test_no_secret_address_or_text_is_in_anything_that_was_written(
    system: WatchedSystem,
) -> None:
    written, secrets = system.written(), set(system.secrets())

    assert "" not in secrets
    # What may be there is found, so the rest would be.
    assert system.task(TEXTS.renamed)["id"] in written["log of work"]
    assert "Queued a webhook" in written["log of serve"]
    assert "events.insert" in written["traces"]
    assert "events.insert" in written["metrics"]
    assert "remote_rejected" in written["dead letters"]
    found = [
        (where, secret)
        for where, text in written.items()
        for secret in secrets
        if secret in text
    ]
    assert found == []


def test_a_change_in_google_is_one_trace_from_the_webhook_to_the_write(
    system: WatchedSystem,
) -> None:
    def is_complete() -> None:
        of_writes = {
            span.trace_id for span in system.spans() if span.name == "crm POST /tasks"
        }
        names = [
            Counter(s.name for s in system.spans() if s.trace_id == trace_id)
            for trace_id in of_writes
        ]
        assert any(set(_PATH) <= set(each) for each in names), names

    eventually(is_complete)


_PATH = (
    "POST /webhooks/google",
    "send google.changes",
    "process google.changes",
    "google events.list",
    "send records",
    "process records",
    "crm POST /tasks",
)


def test_one_id_leads_through_the_logs_from_a_webhook_to_what_came_of_it(
    system: WatchedSystem,
) -> None:
    task = system.task(TEXTS.renamed)
    (line, *_) = [
        line
        for line in system.logs("work").splitlines()
        if f" task={task['id']} " in line and "Noted applied" in line
    ]
    trace = next(word for word in line.split() if word.startswith("trace="))

    received = [row for row in system.logs("serve").splitlines() if trace in row]

    assert len(received) == 1
    assert "Queued a webhook of google" in received[0]


def test_what_alerts_and_dashboard_ask_for_is_measured(system: WatchedSystem) -> None:
    measured = system.metrics()

    missing = [
        name
        for name in watching.series()
        if not re.search(rf"^{name}[{{ ]", measured, re.MULTILINE)
    ]

    assert sorted(missing) == _OF_WORSE_DAYS


_OF_WORSE_DAYS = [
    "calendar_sync_budget_waits_total",
    "calendar_sync_unpublished_total",
]


def test_metrics_have_the_labels_that_the_readme_says(system: WatchedSystem) -> None:
    for family in parsed(system.metrics()):
        for sample in family.samples:
            _, labels = watching.table().get(watching.headline_of(family), ("", None))
            if labels is not None:
                assert set(sample.labels) - {"le", "pid"} == set(labels), sample
