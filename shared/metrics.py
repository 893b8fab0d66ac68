"""The Prometheus metrics, named by https://prometheus.io/docs/practices/naming/."""

from prometheus_client import Counter, Histogram

_LATENCY = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600, 3600)

webhooks = Counter(
    "calendar_sync_webhooks_total", "Webhooks answered.", ["source", "status"]
)
messages = Counter(
    "calendar_sync_messages_total", "Messages handled.", ["queue", "outcome"]
)
handling_seconds = Histogram(
    "calendar_sync_handling_seconds", "Time to handle a message.", ["queue"]
)
delivery_seconds = Histogram(
    "calendar_sync_delivery_seconds",
    "From a change being queued to both sides agreeing.",
    ["queue"],
    buckets=_LATENCY,
)
decisions = Counter(
    "calendar_sync_decisions_total", "Decisions on records.", ["outcome", "reason"]
)
budget_waits = Counter(
    "calendar_sync_budget_waits_total",
    "Requests to Google that had to wait for room in the quota.",
    ["lane"],
)
missed_by_push = Counter(
    "calendar_sync_missed_by_push_total", "Changes that only a safety poll found."
)
