"""Sends spans to an OpenTelemetry collector, with OpenTelemetry's SDK.

What else there is to set (headers, sampling, certificates, resource attributes) the SDK
reads from its standard variables.
Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_PATIENCE_SECONDS = 5.0
"""How long the last spans may take; a collector that is away must not hold us up."""


@contextmanager
def to(url: str) -> Iterator[None]:
    """Export what is traced in the block, and in processes forked there."""
    # It logs a header that it cannot read, and headers carry keys.
    logging.getLogger("opentelemetry.util.re").setLevel(logging.CRITICAL)
    ours = Resource.create({"service.name": "calendar-sync"})
    provider = TracerProvider(
        resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        closing = threading.Thread(target=provider.shutdown, daemon=True)
        closing.start()
        closing.join(_PATIENCE_SECONDS)
