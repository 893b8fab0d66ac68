"""Counts, times, logs and traces what crosses a border.

Three borders: webhooks come in, messages go through queues, requests go out to Google
and the CRM. What is inside of them need not know that it is watched.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import ParamSpec, Protocol, TypeVar

from shared import metrics, tracing
from shared.domain import errors, ports
from shared.domain.messages import Delay, Message, Queue
from shared.domain.ports import Dead, Disposition, Done, Later
from shared.log import bound
from shared.tracing import Span, SpanKind


class Answer(Protocol):
    """What a view returns."""

    @property
    def status_code(self) -> int:
        """Return the HTTP status."""
        ...


Given = ParamSpec("Given")
Answered = TypeVar("Answered", bound=Answer)


def webhook(source: str, view: Callable[Given, Answered]) -> Callable[Given, Answered]:
    """Return a view that begins a trace for each webhook of this source."""
    route = f"/webhooks/{source}"
    about = {"http.request.method": "POST", "http.route": route}

    @functools.wraps(view)
    def traced(*args: Given.args, **kwargs: Given.kwargs) -> Answered:
        with (
            metrics.webhook_seconds.labels(source).time(),
            tracing.span(f"POST {route}", SpanKind.SERVER, about) as span,
            bound(trace=tracing.trace_id(span)),
        ):
            answer = view(*args, **kwargs)
            span.set_attribute("http.response.status_code", answer.status_code)
            if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                tracing.fail(span, str(answer.status_code))
            return answer

    return traced


def requests_to(side: str) -> ports.Instrument:
    """Return what an adapter puts around its requests to `google` or the `crm`."""

    @contextmanager
    def instrument(operation: str) -> Iterator[None]:
        name, about = f"{side} {operation}", {"peer.service": side}
        with (
            metrics.request_seconds.labels(side, operation).time(),
            tracing.span(name, SpanKind.CLIENT, about),
        ):
            try:
                yield
            except errors.SyncError as error:
                metrics.refusals.labels(side, error.reason).inc()
                raise

    return instrument


class InstrumentedBroker:
    """A broker (`ports.Broker`) whose messages carry their trace."""

    def __init__(
        self, broker: ports.Broker, clock: ports.Clock, *, system: str
    ) -> None:
        """Take the broker, and what it is called in traces."""
        self._broker = broker
        self._clock = clock
        self._system = system

    def publish(self, *published: Message, delay: Delay | None = None) -> None:
        """Return once the broker has confirmed every message."""
        spans = [self._sending(message) for message in published]
        outgoing = [
            self._addressed(message, delay, span)
            for message, span in zip(published, spans, strict=True)
        ]
        try:
            self._broker.publish(*outgoing, delay=delay)
        except errors.SyncError as error:
            for message, span in zip(published, spans, strict=True):
                metrics.unpublished.labels(message.queue).inc()
                tracing.fail(span, error.reason)
            raise
        else:
            for message in published:
                metrics.published.labels(message.queue).inc()
        finally:
            for span in spans:
                span.end()

    def consumer(
        self, queues: Sequence[Queue], handler: ports.Handler, *, concurrency: int
    ) -> ports.Consumer:
        """Return a consumer whose handler goes on with the traces of its messages."""
        # A dead letter names the queue that it failed in; nothing else is beside it.
        is_last = Queue.DEAD_LETTERS in queues

        def handle(message: Message) -> Disposition:
            queue = Queue.DEAD_LETTERS if is_last else message.queue
            return self._handle(handler, message, queue)

        return self._broker.consumer(queues, handle, concurrency=concurrency)

    def declare(self) -> None:
        """Create the queues that are missing."""
        self._broker.declare()

    def depths(self) -> Mapping[str, int]:
        """Return the number of messages ready in each queue and delay queue."""
        return self._broker.depths()

    def ping(self) -> None:
        """Return if the broker answers."""
        self._broker.ping()

    def close(self) -> None:
        """Release the connections."""
        self._broker.close()

    def _handle(
        self, handler: ports.Handler, message: Message, queue: Queue
    ) -> Disposition:
        if message.due_at is not None:
            waited = self._clock.now() - message.due_at
            metrics.queue_age_seconds.labels(queue).observe(waited.total_seconds())
        about = self._about(message, queue, "process")
        with (
            tracing.span(
                f"process {queue}", SpanKind.CONSUMER, about, parent=message.trace
            ) as span,
            bound(trace=tracing.trace_id(span)),
        ):
            taken = replace(message, due_at=None)
            disposition = handler(taken)
            self._note(span, taken, queue, disposition)
            match disposition:
                case Later(message=again, delay=delay):
                    again = self._addressed(again, delay, span)
                    return Later(message=again, delay=delay)
                case Dead(message=dead):
                    return Dead(message=self._addressed(dead, None, span))
                case Done():
                    return disposition

    @staticmethod
    def _note(
        span: Span, message: Message, queue: Queue, disposition: Disposition
    ) -> None:
        match disposition:
            case Done() if queue is Queue.DEAD_LETTERS:
                reason = message.failures[-1].reason
                metrics.filed.labels(message.queue, reason).inc()
            case Later(message=later) if later.attempt > message.attempt:
                reason = later.failures[-1].reason
                metrics.retries.labels(queue, reason).inc()
                tracing.fail(span, reason)
            case Dead(message=dead):
                tracing.fail(span, dead.failures[-1].reason)
            case _:
                pass

    def _sending(self, message: Message) -> Span:
        queue = message.queue
        about = self._about(message, queue, "send")
        name = f"send {queue}"
        return tracing.begin(name, SpanKind.PRODUCER, about, parent=message.trace)

    def _about(self, message: Message, queue: Queue, operation: str) -> dict[str, str]:
        return {
            "messaging.system": self._system,
            "messaging.destination.name": queue.value,
            "messaging.operation.type": operation,
            "messaging.operation.name": operation,
            "messaging.message.id": message.id,
        }

    def _addressed(self, message: Message, delay: Delay | None, span: Span) -> Message:
        """Return a message that says when it is due, and what it goes on with."""
        wait = timedelta(seconds=delay.seconds if delay else 0)
        due_at = self._clock.now() + wait
        return replace(message, due_at=due_at, trace=tracing.parent_of(span))
