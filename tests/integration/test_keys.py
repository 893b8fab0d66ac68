"""Keys are replaced on PostgreSQL while webhooks arrive; the command is killed."""

import contextlib
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import select, text

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.store import Store, tables
from shared.domain import signing
from tests import clocks, store_rows
from tests.beside import beside
from tests.integration.test_commands import Installation, eventually

OLD, NEW = store_rows.KEY, crypto.Keys.generate()
SECRET = signing.new_secret(b"s" * 24)
COUNT = 2000


class Senders:
    """The CRM and Google, who send webhooks in a thread while the block runs."""

    def __init__(self, url: str) -> None:
        """Take the address of the receiver."""
        self.statuses: list[int] = []
        self._url = f"{url}/webhooks"

    def sending(self) -> contextlib.AbstractContextManager[None]:
        """Send while the block runs."""
        return beside(self._send)

    def _send(self, is_over: threading.Event) -> None:
        with requests.Session() as session:
            for number in itertools.count(1):
                if is_over.is_set():
                    return
                self.statuses += [self._crm(session, number), self._google(session)]

    def _crm(self, session: requests.Session, number: int) -> int:
        task = {"id": f"t{number}", "version": 7}
        body = json.dumps({"type": "task.updated", "data": task}).encode()
        headers = signing.sign_webhook(
            body,
            delivery_id=f"d{number}",
            secrets=[SECRET],
            now=clocks.SystemClock().now(),
        )
        headers["Content-Type"] = "application/json"
        url = f"{self._url}/crm/acme"
        return session.post(url, data=body, headers=headers, timeout=30).status_code

    def _google(self, session: requests.Session) -> int:
        # The channel was opened long before.
        key = crypto.Keys([OLD]).derive(signing.CHANNEL_TOKEN_PURPOSE)
        headers = {
            "X-Goog-Channel-ID": "c1",
            "X-Goog-Channel-Token": signing.channel_token(key, "c1"),
            "X-Goog-Resource-ID": "r1",
            "X-Goog-Resource-State": "exists",
        }
        url = f"{self._url}/google"
        return session.post(url, headers=headers, timeout=30).status_code


@pytest.fixture
def filled(postgres_url: str) -> str:
    """Return a database with an organization and many connections."""
    store = Store(postgres_url, keys=crypto.Keys([OLD]))
    migrations.upgrade(store.engine)
    with store.begin() as work:
        acme = store_rows.add_organization(work)
        acme.crm_webhook_secrets = [SECRET]
        for number in range(COUNT):
            name, grant = f"u{number}", f"refresh-{number}"
            store_rows.add_connection(work, acme, name, refresh_token=grant)
        work.commit()
    store.close()
    return postgres_url


def unreadable(url: str, key: str) -> int:
    """Return how many of the secrets this key alone does not decrypt."""
    with contextlib.closing(Store(url, keys=crypto.Keys([key]))) as store:
        return len(store.survey_secrets().unreadable)


@contextlib.contextmanager
def last_held(url: str) -> Iterator[Callable[[], object]]:
    """Keep the last connection from being changed; yield what tells who waits."""
    last = select(tables.Connection.id).order_by(tables.Connection.id.desc()).limit(1)
    waiting = text(
        "SELECT pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with (
        contextlib.closing(Store(url, keys=crypto.Keys([OLD]))) as store,
        store.engine.begin() as holding,
        store.engine.connect() as looking,
    ):
        holding.execute(last.with_for_update())
        looking.execution_options(isolation_level="AUTOCOMMIT")
        yield lambda: looking.execute(waiting).all()


def test_a_rotation_that_is_killed_is_finished_by_another_and_refuses_nothing(
    filled: str, tmp_path: Path
) -> None:
    variables = {"DATABASE_URL": filled, "SECRET_KEYS": f"{NEW},{OLD}"}
    with contextlib.closing(Installation(tmp_path)) as here:
        here.start("serve", **variables)
        eventually(here.is_up)
        senders = Senders(here.url)
        with senders.sending():
            with last_held(filled) as is_waited_for:
                first = here.start("keys", "rotate", **variables)
                eventually(is_waited_for)
                first.kill()
                first.wait()
            left = unreadable(filled, NEW)
            code, said = here.run("keys", "rotate", **variables)
            sent = len(senders.statuses)
            eventually(lambda: len(senders.statuses) > sent)

    assert 0 < left < COUNT
    assert code == 0
    total = COUNT + 2
    assert f"{left} of {total} secrets were encrypted anew." in said
    assert unreadable(filled, NEW) == 0
    assert set(senders.statuses) == {202, 204}
