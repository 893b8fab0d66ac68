"""The Prometheus metrics, named by https://prometheus.io/docs/practices/naming/.

Labels are closed sets: queues, sides, operations, codes; never an account, a record or
an organization. What is read from the database and the broker instead of counted here
is in `webhook_receiver.gauges`; `deploy/watching/README.md` explains all of them.
"""

from prometheus_client import Counter, Histogram

_LATENCY = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600, 3600)
_REQUEST = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
_SHARE = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)

# -- webhooks and queues ----------------------------------------------------------

webhooks = Counter(
    "calendar_sync_webhooks_total", "Webhooks answered.", ["source", "status"]
)
webhook_seconds = Histogram(
    "calendar_sync_webhook_seconds",
    "Time to answer a webhook.",
    ["source"],
    buckets=_REQUEST,
)
published = Counter(
    "calendar_sync_published_total", "Messages that the broker confirmed.", ["queue"]
)
unpublished = Counter(
    "calendar_sync_unpublished_total", "Messages that it did not confirm.", ["queue"]
)
queue_age_seconds = Histogram(
    "calendar_sync_queue_age_seconds",
    "For how long the oldest message of a queue was due when it was taken.",
    ["queue"],
    buckets=_LATENCY,
)
messages = Counter(
    "calendar_sync_messages_total", "Messages handled.", ["queue", "outcome"]
)
handling_seconds = Histogram(
    "calendar_sync_handling_seconds", "Time to handle a message.", ["queue"]
)
retries = Counter(
    "calendar_sync_retries_total",
    "Failed attempts that are followed by another.",
    ["queue", "reason"],
)
filed = Counter(
    "calendar_sync_dead_letters_filed_total",
    "Messages that failed for good.",
    ["queue", "reason"],
)

# -- changes ----------------------------------------------------------------------

delivery_seconds = Histogram(
    "calendar_sync_delivery_seconds",
    "From a change being queued to both sides agreeing.",
    ["queue"],
    buckets=_LATENCY,
)
decisions = Counter(
    "calendar_sync_decisions_total", "Decisions on records.", ["outcome", "reason"]
)
pull_seconds = Histogram(
    "calendar_sync_pull_seconds", "Time to list what changed on a calendar."
)
missed_by_push = Counter(
    "calendar_sync_missed_by_push_total", "Changes that only a safety poll found."
)

# -- Google and the CRM -----------------------------------------------------------

request_seconds = Histogram(
    "calendar_sync_request_seconds",
    "Time that a request to the other side took.",
    ["side", "operation"],
    buckets=_REQUEST,
)
refusals = Counter(
    "calendar_sync_refusals_total",
    "Requests that the other side refused or did not answer.",
    ["side", "reason"],
)
quota_units = Counter(
    "calendar_sync_quota_units_total", "Units of Google's quota spent.", ["quota"]
)
quota_used_ratio = Histogram(
    "calendar_sync_quota_used_ratio",
    "Share of the quota in use, of the account or project that a request was for.",
    ["quota"],
    buckets=_SHARE,
)
budget_waits = Counter(
    "calendar_sync_budget_waits_total",
    "Requests to Google that had to wait for room in the quota.",
    ["lane"],
)

# -- timers -----------------------------------------------------------------------

rounds = Counter("calendar_sync_rounds_total", "Rounds of the timers.", ["outcome"])
