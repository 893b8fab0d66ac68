"""Traces leave only if somebody wants them, and hold nobody up.

Each test has a process of its own: OpenTelemetry is set up once in a process.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from tests import stub_server
from tests.services.processes import free_ports
from tests.unit.cli.console import Console

CODE = """
import os, sys
from deploy.cli import foundation
from shared import tracing

with foundation.opened():
    with tracing.span("work", tracing.SpanKind.INTERNAL, {}):
        pass
print("opentelemetry.sdk" in sys.modules)
"""


@pytest.fixture
def collector() -> Iterator[stub_server.StubServer]:
    """Return what spans may be sent to."""
    with stub_server.running() as server:
        yield server


def run(directory: Path, **environment: str) -> tuple[str, str]:
    """Trace something in a process of its own; return what it printed and logged."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", CODE],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path.cwd()),
            "DATABASE_URL": f"sqlite:///{directory}/sync.db",
            **environment,
        },
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def resources(collector: stub_server.StubServer) -> dict[str, str]:
    """Return what the one request that came says about its sender."""
    (received,) = collector.received
    assert received.path == "/v1/traces"
    request = ExportTraceServiceRequest.FromString(received.body)
    (spans,) = request.resource_spans
    assert [span.name for span in spans.scope_spans[0].spans] == ["work"]
    return {
        attribute.key: attribute.value.string_value
        for attribute in spans.resource.attributes
    }


def test_without_a_collector_nothing_of_the_sdk_is_loaded(tmp_path: Path) -> None:
    assert run(tmp_path) == ("False", "")


def test_spans_are_sent_to_the_collector(
    tmp_path: Path, collector: stub_server.StubServer
) -> None:
    printed, _ = run(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=f"{collector.url}/")

    assert printed == "True"
    assert resources(collector)["service.name"] == "calendar-sync"


def test_the_standard_variables_say_what_we_are_called(
    tmp_path: Path, collector: stub_server.StubServer
) -> None:
    run(
        tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_SERVICE_NAME="sync-of-acme",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    )

    found = resources(collector)
    assert found["service.name"] == "sync-of-acme"
    assert found["deployment.environment.name"] == "test"


def test_nothing_is_sent_where_another_variable_says_so(
    tmp_path: Path, collector: stub_server.StubServer
) -> None:
    variables = {"OTEL_TRACES_EXPORTER": "none"}

    printed, _ = run(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **variables)

    assert printed == "False"
    assert collector.received == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
    ],
)
def test_what_we_cannot_export_to_is_refused(
    console: Console, variable: str, value: str
) -> None:
    result = console.run("org", "list", **{variable: value})

    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {variable}: ")


def test_a_collector_that_is_away_holds_up_the_end_for_seconds_only(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    began_at = time.monotonic()

    run(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")

    assert time.monotonic() - began_at < 20


def test_a_header_that_cannot_be_read_is_not_logged(
    tmp_path: Path, collector: stub_server.StubServer
) -> None:
    _, logged = run(
        tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_EXPORTER_OTLP_HEADERS="key-of-the-collector",
    )

    assert "key-of-the-collector" not in logged
