"""A system that is watched as closely as it can be, in an eventful half a minute.

All that happens is full of secrets, addresses and texts that are found again when they
show up where they should not.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families as parsed

from shared.domain import identifiers, signing
from shared.domain.messages import Queue
from tests import stub_server
from tests.e2e.system import (
    ANN,
    API_KEY,
    BEN,
    CLIENT,
    ORGANIZATION,
    PEOPLE,
    SECRET,
    System,
    eventually,
)
from tests.e2e.test_scenario import new_event, new_task
from tests.services.processes import free_ports

LAUNCH_SECRET = "launch-secret-of-the-scenario-32-b"  # noqa: S105 - made up
GUEST = "guest.of.ann@elsewhere.example"
INTRUDER_TOKEN = "token-of-an-intruder"  # noqa: S105 - made up
INTRUDER_CODE = "code-of-an-intruder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What people wrote; no word of it occurs anywhere else."""

    of_task: str = "Zwetschgenkuchen with Tibor"
    of_event: str = "Quarkstrudel with Ludmilla"
    renamed: str = "Mohnschnecken with Ludmilla"
    refused: str = "Apfeltaschen with Ottokar"
    parked: str = "Kirschplotzer with Wenzel"
    forged: str = "Nusskipferl with Hadubrand"
    description: str = "Bring the Pflaumenmus, Tibor"
    location: str = "Backstube 17b"

    def all(self) -> list[str]:
        """Return each of them."""
        return [getattr(self, name) for name in self.__slots__]


TEXTS = Texts()


class WatchedSystem(System):
    """All processes, with spans for a collector of ours and the most talkative log."""

    def __init__(
        self,
        directory: Path,
        collector: stub_server.StubServer,
        *,
        database_url: str,
        amqp_url: str,
    ) -> None:
        """Take where to keep files, who collects spans, and the services to run on."""
        super().__init__(
            directory,
            database_url=database_url,
            amqp_url=amqp_url,
            safety_poll_seconds=3600,
        )
        self._collector = collector
        ports = free_ports(len(self.names))
        self._metrics_ports = dict(zip(self.names, ports, strict=True))
        self._secrets: list[str] = []

    def environment(self) -> dict[str, str]:
        """Return what the product's processes are told by their environment."""
        return {
            **super().environment(),
            "LOG_LEVEL": "debug",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self._collector.url,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    def start(self, name: str, **environment: str) -> None:
        """Start a process, whose metrics have a port of their own."""
        port = str(self._metrics_ports[name])
        super().start(name, METRICS_PORT=port, **environment)

    # -- what is watched ----------------------------------------------------------

    def spans(self) -> list[Span]:
        """Return what the collector got so far."""
        return [
            span
            for received in list(self._collector.received)
            for resource in ExportTraceServiceRequest.FromString(
                received.body
            ).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> str:
        """Return the metrics of all processes, one after the other."""
        return "\n".join(self._metrics_of(name) for name in self.names)

    def _metrics_of(self, name: str) -> str:
        address = f"http://127.0.0.1:{self._metrics_ports[name]}/metrics"
        return requests.get(address, timeout=30).text

    def _notified(self, name: str, metric: str) -> float:
        """Return what a process counted of the messages that calendars changed."""
        return sum(
            sample.value
            for family in parsed(self._metrics_of(name))
            for sample in family.samples
            if sample.name == metric and sample.labels["queue"] == Queue.GOOGLE_CHANGES
        )

    def written(self) -> dict[str, str]:
        """Return everything that the product wrote, by where it is."""
        dead = self.api("GET", "/dead-letters")["items"]
        each = [self.api("GET", f"/dead-letters/{row['id']}") for row in dead]
        traced = b"".join(received.body for received in self._collector.received)
        logs = {f"log of {name}": self.logs(name) for name in self.names}
        return {
            **logs,
            "metrics": self.metrics(),
            "traces": traced.decode(errors="replace"),
            "dead letters": json.dumps([dead, each]),
        }

    def secrets(self) -> Iterator[str]:
        """Yield everything that must not be found there."""
        yield from (API_KEY, SECRET.removeprefix("whsec_"), LAUNCH_SECRET, GUEST)
        yield from (CLIENT["client_secret"], self.token, self._secret_key)
        yield from (INTRUDER_TOKEN, INTRUDER_CODE, *self._secrets, *TEXTS.all())
        for person in PEOPLE:
            yield from (person.email, person.account)
        yield from self._of_google("SELECT token FROM refresh_tokens")
        yield from self._of_google("SELECT token FROM access_tokens")
        yield from self._of_google("SELECT code FROM codes")

    def _of_google(self, query: str) -> Sequence[str]:
        path = self._directory / "google" / "oauth.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return [row[0] for row in connection.execute(query)]

    # -- what happens -------------------------------------------------------------

    def live_through(self) -> None:
        """Let everything happen that a log could be talkative about."""
        self.command("org", "update", ORGANIZATION, "--launch-secret", LAUNCH_SECRET)
        eventually(self._assert_polled)
        self._edit_both_sides()
        self._be_refused_a_record()
        self._be_refused_access()
        self._send_what_is_refused()
        self._sign_in()

    def _assert_polled(self) -> None:
        """Assert that new calendars were polled: what changes now is notified first."""
        published = "calendar_sync_published_total"
        assert self._notified("periodic", published) >= len(PEOPLE)
        sent = sum(self._notified(name, published) for name in self.names)
        assert self._notified("work", "calendar_sync_messages_total") >= sent

    def _edit_both_sides(self) -> None:
        told = {
            "description": TEXTS.description,
            "location": TEXTS.location,
            "attendees": [{"email": GUEST}],
        }
        self.crm_call("POST", "/tasks", {**new_task(ANN, TEXTS.of_task), **told})
        eventually(lambda: self.event(ANN, TEXTS.of_task))
        body = {**new_event(TEXTS.of_event), **told}
        event = self.google_call(BEN, "POST", body=body)
        eventually(lambda: self.task(TEXTS.of_event))
        self.google.order("faults", match={"operation": "events.list"}, status=503)
        changes = {"summary": TEXTS.renamed}
        self.google_call(BEN, "PATCH", f"/{event['id']}", changes)
        eventually(self._assert_put_off)
        self.google.withdraw("faults")
        eventually(lambda: self.task(TEXTS.renamed))

    def _assert_put_off(self) -> None:
        assert "Put off until" in self.logs("work")

    def _be_refused_a_record(self) -> None:
        with self.paused("work"):
            task = self.crm_call("POST", "/tasks", new_task(ANN, TEXTS.refused))
            event_id = identifiers.event_id(ORGANIZATION, task["id"], ANN.account, 0)
            match = {"event_id": event_id}
            self.google.order("faults", match=match, status=400, reason="invalid")
        eventually(lambda: self._assert_filed(task["id"]))

    def _assert_filed(self, task_id: str) -> None:
        filed = self.api("GET", "/dead-letters")["items"]
        assert [row["task_id"] for row in filed] == [task_id]

    def _be_refused_access(self) -> None:
        self._secrets += self._of_google("SELECT token FROM refresh_tokens")
        self._secrets += self._of_google("SELECT token FROM access_tokens")
        self.google.order("revoke", account=ANN.account)
        self.google.order("expire-access-tokens", account=ANN.account)
        self.crm_call("POST", "/tasks", new_task(ANN, TEXTS.parked))
        eventually(self._assert_revoked)

    def _assert_revoked(self) -> None:
        assert self.connection(ANN)["state"] == "needs_reauthorization"

    def _send_what_is_refused(self) -> None:
        for headers, body in self._forged():
            address = f"{self.url}/webhooks/crm/{ORGANIZATION}"
            answer = requests.post(address, data=body, headers=headers, timeout=30)
            assert answer.status_code in {400, 401}
        requests.post(f"{self.url}/webhooks/google", timeout=30, headers=_NOTIFICATION)
        for path in ("settings", "callback"):
            requests.get(
                f"{self.url}/api/calendar-sync/{path}",
                params={"state": INTRUDER_TOKEN, "code": INTRUDER_CODE},
                headers={"Authorization": f"Bearer {INTRUDER_TOKEN}"},
                timeout=30,
            )
        requests.get(f"{self.url}/launch?token={INTRUDER_TOKEN}", timeout=30)

    @staticmethod
    def _forged() -> Iterable[tuple[dict[str, str], bytes]]:
        """Yield a webhook with a bad signature, and one with a bad body."""
        event: dict[str, Any] = {"type": "task.updated", "data": {}}
        event["data"] = {"id": "t1", "version": "x", "title": TEXTS.forged}
        body = json.dumps(event).encode()
        now = datetime.now(UTC)
        for secret in ("whsec_c29tZXRoaW5nLWVsc2Utb2YtMjQtYnl0ZXM=", SECRET):
            signed = signing.sign_webhook(
                body, delivery_id="d1", secrets=[secret], now=now
            )
            yield {**signed, "Content-Type": "application/json"}, body

    def _sign_in(self) -> None:
        link = self.login_link("user", BEN.id)
        self._secrets.append(link.rpartition("=")[2])
        browser = requests.Session()
        for path in ("/me", "/me/conflicts"):
            assert browser.get(link if path == "/me" else self.url + path, timeout=30)
        self._secrets += [cookie.value or "" for cookie in browser.cookies]


_NOTIFICATION = {
    "X-Goog-Channel-ID": "channel",
    "X-Goog-Channel-Token": INTRUDER_TOKEN,
    "X-Goog-Resource-State": "exists",
}
