"""The doctor's checks of the broker: does it answer, and what are its queues like."""

from collections.abc import Iterator, Mapping

from deploy.cli import findings
from deploy.cli.findings import Finding
from deploy.cli.foundation import Foundation
from shared.adapters.broker_rabbitmq import RabbitBroker, Survey
from shared.domain import errors
from shared.domain.messages import Queue

_MIGRATE = "run: calendar-sync migrate"
_MANY_WAITING = 1000


def check_broker(base: Foundation) -> Iterator[Finding]:
    """Check that the broker answers and has our queues, and what waits in them."""
    try:
        base.broker.ping()
    except errors.BrokerConnectionError as error:
        name = "RabbitMQ, or correct AMQP_URL"
        if not base.config.amqp_url:
            name = "the database, or correct DATABASE_URL"
        yield findings.problem("broker", str(error), f"start {name}")
        return
    try:
        if isinstance(base.broker, RabbitBroker):
            survey = base.broker.survey()
            yield from _check_topology(survey)
            if survey.missing:
                return
        yield _waiting(base.broker.depths())
    except errors.BrokerConnectionError as error:
        yield findings.problem("broker", str(error), _MIGRATE)


def _waiting(depths: Mapping[str, int]) -> Finding:
    waiting = {name: depth for name, depth in depths.items() if depth}
    shown = ", ".join(f"{depth} in {name}" for name, depth in waiting.items())
    text = f"answers and has all queues; waiting: {shown or 'nothing'}"
    live = sum(depth for name, depth in waiting.items() if name in set(Queue))
    if live > _MANY_WAITING:
        remedy = "see that `calendar-sync work` runs, or start more of it"
        return findings.note("broker", text, remedy)
    return findings.ok("broker", text)


def _check_topology(survey: Survey) -> Iterator[Finding]:
    """Check that each queue is there, is as we make it, and is consumed."""
    for name in survey.missing:
        yield findings.problem(f"queue {name}", "is not there", _MIGRATE)
    for name, problem in survey.differing.items():
        yield findings.problem(f"queue {name}", problem, _MIGRATE)
    yield from _check_consumers(survey.unattended)


def _check_consumers(unattended: Mapping[str, int]) -> Iterator[Finding]:
    if not unattended:
        yield findings.ok("consumers", "every queue has some")
        return
    text = f"nobody consumes {', '.join(unattended)}"
    remedy = "start `calendar-sync work`; without names it consumes all queues"
    waiting = sum(unattended.values())
    if waiting:
        text = f"{text}, where {waiting} messages wait"
        yield findings.problem("consumers", text, remedy)
    else:
        yield findings.note("consumers", text, remedy)
