"""The doctor's checks of our own parts: configuration, database, broker, receiver."""

from collections.abc import Iterator

import requests
from sqlalchemy import make_url

from deploy import migrations
from deploy.cli import findings, readiness
from deploy.cli.findings import Finding
from deploy.cli.foundation import Foundation
from shared.domain import errors
from shared.domain.messages import Queue

_PATIENCE_SECONDS = 5
_MANY_WAITING = 1000


def check_configuration(base: Foundation) -> Iterator[Finding]:
    """Tell what the environment says; without problems, for those end every command."""
    config = base.config
    database = make_url(config.database_url).render_as_string(hide_password=True)
    broker = "RabbitMQ" if config.amqp_url else "the local broker"
    mode = "embedded mode" if config.is_embedded else "production mode"
    text = f"{mode}: {database} and {broker}, reached at {config.public_url}"
    yield findings.ok("configuration", text)


def check_database(base: Foundation) -> Iterator[Finding]:
    """Check that the database answers and has our schema."""
    try:
        base.store.ping()
        if base.config.is_embedded:
            readiness.require_schema(base)
        is_current = migrations.is_current(base.store.engine)
    except errors.RemoteUnavailableError as error:
        remedy = "start the database, or correct DATABASE_URL"
        yield findings.problem("database", str(error), remedy)
        return
    if is_current:
        yield findings.ok("database", "answers and has this release's schema")
    else:
        text = "does not have this release's schema"
        yield findings.problem("database", text, "run: calendar-sync migrate")


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
        depths = base.broker.depths()
    except errors.BrokerConnectionError as error:
        yield findings.problem("broker", str(error), "run: calendar-sync migrate")
        return
    waiting = {name: depth for name, depth in depths.items() if depth}
    shown = ", ".join(f"{depth} in {name}" for name, depth in waiting.items())
    text = f"answers and has all queues; waiting: {shown or 'nothing'}"
    live = sum(depth for name, depth in waiting.items() if name in set(Queue))
    if live > _MANY_WAITING:
        remedy = "see that `calendar-sync work` runs, or start more of it"
        yield findings.note("broker", text, remedy)
    else:
        yield findings.ok("broker", text)


def check_receiver(base: Foundation) -> Iterator[Finding]:
    """See whether the receiver answers at its public address, as far as we can."""
    url = base.config.public_url
    try:
        answer = requests.get(f"{url}/healthz", timeout=_PATIENCE_SECONDS)
        is_there = answer.ok
    except requests.RequestException:
        is_there = False
    if is_there:
        yield findings.ok("receiver", f"answers at {url}")
    else:
        # From here the public address may be out of reach, so this is no problem.
        text = f"does not answer from here at {url}"
        remedy = "if it should: start `calendar-sync serve`, or correct PUBLIC_URL"
        yield findings.note("receiver", text, remedy)
