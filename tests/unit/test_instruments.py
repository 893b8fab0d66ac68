"""What crosses a border is counted and traced, and its message carries the trace."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import prometheus_client
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import instruments, tracing
from shared.domain import errors, messages
from shared.domain.messages import Delay, Message, Queue, Trigger
from shared.domain.ports import Dead, Disposition, Done, Handler, Later
from shared.instruments import InstrumentedBroker
from tests.clocks import SettableClock
from tests.fakes.broker import InMemoryBroker

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEXT = "Dinner with ann@example.com"
"""What an error may say, and a span must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a view returns."""

    status_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A broker that is watched, and the one below it."""

    clock: SettableClock
    below: InMemoryBroker
    broker: InstrumentedBroker

    def handle(self, handler: Handler, *queues: Queue) -> None:
        """Let a handler deal with what is due."""
        chosen = queues or (Queue.RECORDS, Queue.CRM_CHANGES)
        self.broker.consumer(chosen, handler, concurrency=1)
        self.below.run(self.below.consumers[-1].handler)

    def waiting(self) -> Message:
        """Return the one message that is in a queue."""
        (message,) = self.below.waiting()
        return message


@pytest.fixture
def line() -> Line:
    """Return an empty one."""
    clock = SettableClock(NOW)
    below = InMemoryBroker(clock)
    broker = InstrumentedBroker(below, clock, system="memory")
    return Line(clock=clock, below=below, broker=broker)


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Trace for the test, and return the spans that ended."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("shared.tracing._tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def message(queue: Queue = Queue.RECORDS, id_: str = "m1") -> Message:
    """Return a message about a task."""
    return Message(
        id=id_,
        queue=queue,
        subject=messages.TaskDue(organization_id=1, task_id="t"),
        trigger=Trigger.WEBHOOK,
        queued_at=NOW,
    )


def again(failed: Message) -> Later:
    """Return the next attempt of a message."""
    once = messages.failed(failed, "rate_limit", "429", at=NOW)
    return Later(
        message=replace(once, attempt=failed.attempt + 1), delay=Delay.TEN_SECONDS
    )


def done(_message: Message) -> Disposition:
    """Deal with a message."""
    return Done()


def counted(name: str, **labels: str) -> float:
    """Return what a metric shows now."""
    found = prometheus_client.REGISTRY.get_sample_value(f"calendar_sync_{name}", labels)
    return found or 0.0


def named(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """Return the spans that ended, by name."""
    return {span.name: span for span in exporter.get_finished_spans()}


def id_of(traced: Message) -> str:
    """Return the trace id that a message carries."""
    assert traced.trace is not None
    version, trace_id, parent_id, flags = traced.trace.split("-")
    assert (version, len(parent_id), len(flags)) == ("00", 16, 2)
    assert int(trace_id, 16)
    return trace_id


# -- without OpenTelemetry's SDK --------------------------------------------------


def test_what_a_webhook_leads_to_has_one_id_although_nobody_traces(line: Line) -> None:
    def view() -> Answer:
        line.broker.publish(message(Queue.CRM_CHANGES))
        return Answer(status_code=202)

    def follow(taken: Message) -> Disposition:
        if taken.queue is Queue.CRM_CHANGES:
            line.broker.publish(message(Queue.RECORDS, "m2"))
        return Done()

    instruments.webhook("crm", view)()
    first = id_of(line.waiting())
    line.handle(follow)

    assert [id_of(taken) for taken in line.below.handled] == [first, first]


def test_what_the_timers_queue_together_has_an_id_each(line: Line) -> None:
    line.broker.publish(message(id_="m1"), message(id_="m2"))

    one, other = line.below.waiting()
    assert id_of(one) != id_of(other)


@pytest.mark.parametrize("trace", [None, "nonsense", "00-0-0-00"])
def test_a_message_of_an_older_release_gets_an_id_that_it_keeps(
    line: Line, trace: str | None
) -> None:
    line.below.publish(replace(message(), trace=trace))

    line.handle(lambda taken: Later(message=taken, delay=Delay.BUSY))
    line.clock.moment += timedelta(seconds=1)
    line.handle(again)

    first, second = line.below.handled
    assert first.trace == trace
    assert id_of(second) == id_of(line.waiting())


def test_a_message_that_is_published_again_keeps_its_id(line: Line) -> None:
    line.broker.publish(message())
    first = line.waiting()
    line.below.lose()

    line.broker.publish(replace(first, trigger=Trigger.RETRY))

    assert id_of(line.waiting()) == id_of(first)


# -- counting ---------------------------------------------------------------------


def test_messages_are_counted_when_the_broker_has_them(line: Line) -> None:
    before = counted("published_total", queue="records")

    line.broker.publish(message(id_="m1"), message(id_="m2"))

    assert counted("published_total", queue="records") - before == 2


def test_messages_that_the_broker_does_not_take_are_counted_apart(line: Line) -> None:
    line.below.is_away = True
    names = ("published_total", "unpublished_total")
    before = [counted(name, queue="records") for name in names]

    with pytest.raises(errors.BrokerConnectionError):
        line.broker.publish(message())

    after = [counted(name, queue="records") for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 1]


@pytest.mark.parametrize("delay", [None, Delay.MINUTE])
def test_the_age_of_a_queue_does_not_count_a_delay_that_was_wanted(
    line: Line, delay: Delay | None
) -> None:
    before = counted("queue_age_seconds_sum", queue="records")
    line.broker.publish(message(), delay=delay)

    line.clock.moment += timedelta(seconds=(delay.seconds if delay else 0) + 7)
    line.handle(done)

    assert counted("queue_age_seconds_sum", queue="records") - before == 7


def test_what_a_handler_passes_on_is_due_anew(line: Line) -> None:
    line.broker.publish(message())

    line.handle(lambda taken: Later(message=taken, delay=Delay.MINUTE))

    assert line.waiting().due_at == NOW + timedelta(minutes=1)


def test_a_handler_need_not_know_when_its_message_was_due(line: Line) -> None:
    seen: list[Message] = []

    def keep(taken: Message) -> Disposition:
        seen.append(taken)
        return Done()

    line.broker.publish(message())

    line.handle(keep)

    assert [taken.due_at for taken in seen] == [None]


def test_only_another_attempt_is_a_retry(line: Line) -> None:
    labels = {"queue": "records", "reason": "rate_limit"}
    before = counted("retries_total", **labels)
    line.broker.publish(message())

    line.handle(lambda taken: Later(message=taken, delay=Delay.BUSY))
    line.clock.moment += timedelta(seconds=1)
    line.handle(again)

    assert counted("retries_total", **labels) - before == 1


def test_a_dead_letter_is_counted_by_the_queue_that_it_failed_in(line: Line) -> None:
    labels = {"queue": "records", "reason": "rate_limit"}
    before = counted("dead_letters_filed_total", **labels)
    line.broker.publish(messages.failed(message(), "rate_limit", "429", at=NOW))

    line.handle(done, Queue.DEAD_LETTERS)

    assert counted("dead_letters_filed_total", **labels) - before == 1


def test_requests_are_timed_and_their_refusals_counted() -> None:
    timed = {"side": "google", "operation": "events.patch"}
    refused = {"side": "google", "reason": "rate_limit"}
    before = counted("request_seconds_count", **timed)
    refused_before = counted("refusals_total", **refused)
    instrument = instruments.requests_to("google")

    with instrument("events.patch"):
        pass
    with pytest.raises(errors.RateLimitError), instrument("events.patch"):
        raise errors.RateLimitError

    assert counted("request_seconds_count", **timed) - before == 2
    assert counted("refusals_total", **refused) - refused_before == 1


# -- with it ----------------------------------------------------------------------


def test_a_change_is_one_trace_from_the_webhook_to_the_request(
    line: Line, exported: InMemorySpanExporter
) -> None:
    def view() -> Answer:
        line.broker.publish(message())
        return Answer(status_code=202)

    def write(_taken: Message) -> Disposition:
        with instruments.requests_to("google")("events.patch"):
            return Done()

    instruments.webhook("crm", view)()
    line.handle(write)

    spans = named(exported)
    path = [
        "POST /webhooks/crm",
        "send records",
        "process records",
        "google events.patch",
    ]
    assert sorted(spans) == sorted(path)
    for above, below in itertools.pairwise(path):
        parent = spans[below].parent
        assert parent is not None
        assert parent.span_id == spans[above].context.span_id
    assert len({span.context.trace_id for span in spans.values()}) == 1


def test_spans_name_the_queue_the_message_and_the_answer(
    line: Line, exported: InMemorySpanExporter
) -> None:
    def view() -> Answer:
        line.broker.publish(message())
        return Answer(status_code=202)

    instruments.webhook("crm", view)()

    spans = named(exported)
    assert spans["POST /webhooks/crm"].attributes == {
        "http.request.method": "POST",
        "http.route": "/webhooks/crm",
        "http.response.status_code": 202,
    }
    assert spans["send records"].attributes == {
        "messaging.system": "memory",
        "messaging.destination.name": "records",
        "messaging.operation.type": "send",
        "messaging.operation.name": "send",
        "messaging.message.id": "m1",
    }


def _raise(_message: Message) -> Disposition:
    raise ValueError(TEXT)


def _bury(taken: Message) -> Disposition:
    return Dead(message=messages.failed(taken, "rate_limit", TEXT, at=NOW))


@pytest.mark.parametrize(
    ("handler", "code"),
    [(_raise, "ValueError"), (again, "rate_limit"), (_bury, "rate_limit")],
    ids=["broken", "again", "dead"],
)
def test_a_failure_is_told_by_its_code_alone(
    line: Line, exported: InMemorySpanExporter, handler: Handler, code: str
) -> None:
    line.broker.publish(message())

    with contextlib.suppress(ValueError):
        line.handle(handler)

    span = named(exported)["process records"]
    assert (span.attributes or {})["error.type"] == code
    assert not span.status.is_ok
    assert TEXT not in span.to_json()


@pytest.mark.parametrize(("status", "is_error"), [(401, False), (503, True)])
def test_a_webhook_that_is_refused_is_no_failure_of_ours(
    exported: InMemorySpanExporter, *, status: int, is_error: bool
) -> None:
    instruments.webhook("crm", lambda: Answer(status_code=status))()

    span = named(exported)["POST /webhooks/crm"]
    assert span.status.is_ok is not is_error


def test_a_request_that_fails_is_told_by_its_reason(
    exported: InMemorySpanExporter,
) -> None:
    refused = errors.RateLimitError(TEXT)

    with pytest.raises(errors.RateLimitError), instruments.requests_to("crm")("GET /"):
        raise refused

    span = named(exported)["crm GET /"]
    assert span.attributes == {"peer.service": "crm", "error.type": "rate_limit"}
    assert TEXT not in span.to_json()


def test_a_trace_goes_on_below_what_a_message_says(
    exported: InMemorySpanExporter,
) -> None:
    with tracing.span("above", tracing.SpanKind.INTERNAL, {}) as above:
        parent = tracing.parent_of(above)

    with tracing.span("below", tracing.SpanKind.INTERNAL, {}, parent=parent) as below:
        assert tracing.trace_id(below) == tracing.trace_id(above)

    assert set(named(exported)) == {"above", "below"}
