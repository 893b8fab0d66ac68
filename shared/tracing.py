"""Traces: what one change leads to, from the webhook to the writes, under one id.

There is an id in any case, for the log. Spans are made and exported only where an entry
point has set up OpenTelemetry's SDK; without that, its API just passes the ids on.
Names and attributes of spans are codes and ids of ours: never an address, a token or
the text of a meeting. So an error is told by its class; its message may say too much.
Sources: https://www.w3.org/TR/trace-context/ and
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.domain import errors

__all__ = ["Span", "SpanKind", "begin", "fail", "parent_of", "span", "trace_id"]

Attributes = Mapping[str, str | int]

_HEADER = "traceparent"
_format = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("calendar-sync")


def begin(
    name: str, kind: SpanKind, attributes: Attributes, *, parent: str | None = None
) -> Span:
    """Return a span that its caller ends.

    It is below `parent`, a W3C `traceparent`, if one is given, else below the span of
    the block around it. Where there is neither, it begins a trace.
    """
    context = None
    if parent is not None:
        # One that cannot be read is as good as none, as the standard has it.
        context = _format.extract({_HEADER: parent}, context=Context())
    made = _tracer.start_span(name, context, kind, attributes)
    return made if made.get_span_context().is_valid else NonRecordingSpan(_root())


@contextmanager
def span(
    name: str, kind: SpanKind, attributes: Attributes, *, parent: str | None = None
) -> Iterator[Span]:
    """Trace what the block does, and whether it raises."""
    made = begin(name, kind, attributes, parent=parent)
    with trace.use_span(
        made,
        end_on_exit=True,
        record_exception=False,
        set_status_on_exception=False,
    ):
        try:
            yield made
        except errors.SyncError as error:
            fail(made, error.reason)
            raise
        except Exception as error:
            fail(made, type(error).__name__)
            raise


def fail(failed: Span, code: str) -> None:
    """Mark a span as one of something that failed."""
    failed.set_attribute("error.type", code)
    failed.set_status(trace.StatusCode.ERROR)


def parent_of(around: Span) -> str:
    """Return what tells another process that it goes on with this: a `traceparent`."""
    carrier: dict[str, str] = {}
    _format.inject(carrier, trace.set_span_in_context(around, Context()))
    return carrier[_HEADER]


def trace_id(of: Span) -> str:
    """Return the id of a trace: 32 hex digits."""
    return trace.format_trace_id(of.get_span_context().trace_id)


def _root() -> SpanContext:
    return SpanContext(
        trace_id=1 + secrets.randbelow(2**128 - 1),
        span_id=1 + secrets.randbelow(2**64 - 1),
        is_remote=False,
    )
