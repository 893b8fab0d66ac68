"""Webhooks accepted per second, with confirms, beside answering without publishing."""

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.domain import signing
from tests.benchmarks.tables import Row
from tests.e2e.system import ORGANIZATION, SECRET, System, eventually
from tests.services.processes import accepts, free_ports

RUNS = 3
SECONDS = 5.0
CONNECTIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one receiver did."""

    per_second: float
    p50_ms: float
    p99_ms: float


def run(system: System) -> list[Row]:
    """Measure both receivers in turns, on the same machine and load."""
    (port,) = free_ports(1)
    module = "tests.benchmarks.silent_receiver"
    silent = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, str(port)], env=system.environment()
    )
    with system.paused("work"):
        try:
            eventually(lambda: _assert_up(port))
            pairs = [(_rate(port), _rate(system.port)) for _ in range(RUNS)]
        finally:
            silent.terminate()
            silent.wait()
    answering = _median([one for one, _ in pairs])
    publishing = _median([other for _, other in pairs])
    ratio = publishing.per_second / answering.per_second
    return [
        Row("webhooks/s, answered without publishing", _told(answering)),
        Row("webhooks/s, published and confirmed", _told(publishing)),
        Row("ratio of the two", f"{ratio:.2f}"),
    ]


def _assert_up(port: int) -> None:
    assert accepts(port)


def _rate(port: int) -> Rate:
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, str(port), str(SECONDS), str(CONNECTIONS)],
        input=_request(),
        capture_output=True,
        check=True,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["refused"] == 0, report
    assert time.monotonic() - began < 10 * SECONDS
    return Rate(
        per_second=report["accepted"] / SECONDS,
        p50_ms=report["p50"] * 1000,
        p99_ms=report["p99"] * 1000,
    )


def _median(rates: list[Rate]) -> Rate:
    return Rate(
        per_second=statistics.median(r.per_second for r in rates),
        p50_ms=statistics.median(r.p50_ms for r in rates),
        p99_ms=statistics.median(r.p99_ms for r in rates),
    )


def _told(rate: Rate) -> str:
    return f"{rate.per_second:.0f} (p50 {rate.p50_ms:.0f} ms, p99 {rate.p99_ms:.0f} ms)"


def _request() -> bytes:
    """Return a signed webhook of about 600 bytes."""
    data = {"id": "t1", "version": 1, "title": "x" * 500}
    body = json.dumps({"type": "task.updated", "data": data}).encode()
    signed = signing.sign_webhook(
        body, delivery_id="bench", secrets=[SECRET], now=datetime.now(UTC)
    )
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **signed,
    }
    lines = [f"POST /webhooks/crm/{ORGANIZATION} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
