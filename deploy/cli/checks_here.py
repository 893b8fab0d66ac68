"""The doctor's checks of our own parts, but for the broker and certificates."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import requests
from sqlalchemy import make_url

from deploy import migrations
from deploy.cli import findings, readiness
from deploy.cli.findings import Finding
from deploy.cli.foundation import Foundation
from shared.domain import errors

_PATIENCE_SECONDS = 5
_MIB = 2**20
_FULL_BYTES = 256 * _MIB
_NEARLY_FULL_BYTES = 1024 * _MIB


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


def check_secrets(base: Foundation) -> Iterator[Finding]:
    """Check that every stored secret can be decrypted, and by which key."""
    found = base.store.survey_secrets()
    if found.unreadable:
        text = f"no key of SECRET_KEYS decrypts {len(found.unreadable)} stored secrets"
        remedy = "add the key that they had; calendar-sync keys rotate names them"
        yield findings.problem("secrets", text, remedy)
    elif found.behind:
        text = f"{found.behind} of {found.values} are encrypted with an old key"
        yield findings.note("secrets", text, "run: calendar-sync keys rotate")
    else:
        yield findings.ok("secrets", f"{found.values} are encrypted with the first key")


def check_dead_letters(base: Foundation) -> Iterator[Finding]:
    """Tell what failed for good and waits for an operator."""
    with base.store.read() as work:
        count = work.dead_letters.count(None)
    if count:
        remedy = "see calendar-sync dead-letters list, then replay or discard them"
        yield findings.problem("dead letters", f"{count} wait for a decision", remedy)
    else:
        yield findings.ok("dead letters", "none")


def check_disk(base: Foundation) -> Iterator[Finding]:
    """Check that there is room where we write: the database, or previews."""
    place = Path(tempfile.gettempdir())
    if base.is_sqlite:
        place = base.config.data_directory
    free = shutil.disk_usage(place).free
    text = f"{free // _MIB:,} MiB are free in {place.resolve()}"
    remedy = "free some, or move it to a larger disk"
    if free < _FULL_BYTES:
        yield findings.problem("disk", text, remedy)
    elif free < _NEARLY_FULL_BYTES:
        yield findings.note("disk", text, remedy)
    else:
        yield findings.ok("disk", text)


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
