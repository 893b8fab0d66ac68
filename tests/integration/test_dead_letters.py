"""Dead letters on RabbitMQ and PostgreSQL: none is lost, whatever goes down."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from sqlalchemy import select

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.broker_rabbitmq import RabbitBroker
from shared.adapters.store import Store, tables
from shared.domain import messages
from shared.domain.messages import Message, Queue, Trigger
from shared.domain.ports import Dead
from tests import broker_process, clocks, store_rows
from tests.broker_contract import Inbox, consuming, eventually, ready
from tests.broker_proxy import Proxy
from tests.services import rabbitmq
from webhook_receiver.dead_letters import AT_ONCE
from workers.deaths import Deaths

PATIENCE_SECONDS = 60


class Installation:
    """A database and a broker, and the command that is run on them."""

    def __init__(self, database_url: str, amqp_url: str) -> None:
        """Take their addresses."""
        self.urls = {"DATABASE_URL": database_url, "AMQP_URL": amqp_url}
        self.store = Store(database_url, keys=crypto.Keys([store_rows.KEY]))
        self.broker = RabbitBroker(amqp_url, clocks.SystemClock())

    def prepare(self) -> None:
        """Make tables and queues, and an organization."""
        migrations.upgrade(self.store.engine)
        self.broker.declare()
        with self.store.begin() as work:
            store_rows.add_organization(work)
            work.commit()

    def close(self) -> None:
        """Let go of both."""
        self.broker.close()
        self.store.close()

    # -- what happens -------------------------------------------------------------

    def fail(self, *letters: Message) -> None:
        """Let a worker give up on messages; nobody files them."""
        self.broker.publish(*letters)
        given_up = Inbox(lambda m: Dead(message=failed(m)))
        with consuming(self.broker, given_up):
            given_up.wait_for(len(letters))
        eventually(
            lambda: ready(self.broker) == {Queue.DEAD_LETTERS: len(letters)},
            "all are in the queue of dead letters",
        )

    def file(self, *letters: Message) -> None:
        """File dead letters."""
        with self.store.begin() as work:
            for letter in letters:
                work.dead_letters.file(
                    tables.DeadLetter(
                        delivery_id=letter.id,
                        queue=letter.queue,
                        reason=letter.failures[-1].reason,
                        error=letter.failures[-1].error,
                        task_id=letter.id,
                        attempts=letter.attempt,
                        message=messages.encode(letter).decode(),
                        created_at=store_rows.NOW,
                    )
                )
            work.commit()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command."""
        environment = {
            "PATH": os.environ["PATH"],
            "SECRET_KEYS": store_rows.KEY,
            "PUBLIC_URL": "http://localhost:8080",
            **self.urls,
        }
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "deploy.cli", "dead-letters", *arguments],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Run the command to its end, which must be good; return what it printed."""
        process = self.start(*arguments, "--json")
        printed, complaints = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, complaints
        return json.loads(printed)

    @contextlib.contextmanager
    def held(self, task: str) -> Iterator[None]:
        """Keep the dead letter of a task from being changed."""
        row = select(tables.DeadLetter.id).where(tables.DeadLetter.task_id == task)
        with self.store.engine.begin() as connection:
            connection.execute(row.with_for_update())
            yield

    # -- what there is ------------------------------------------------------------

    def listed(self) -> list[str]:
        """Return the tasks of the dead letters, as the command lists them."""
        return sorted(row["task_id"] for row in self.run("list", "--all"))

    def filed(self) -> set[str]:
        """Return the tasks of the dead letters that are filed."""
        with self.store.read() as work:
            rows = work.dead_letters.page(None, limit=10 * AT_ONCE).rows
        return {row.task_id or "" for row in rows}

    def taken(self, count: int) -> Sequence[str]:
        """Take messages out of the queue until so many different ones came."""
        inbox = Inbox()
        with consuming(self.broker, inbox):
            eventually(lambda: len(set(inbox.ids)) >= count, f"{count} came")
            eventually(lambda: not ready(self.broker), "nothing is left")
        assert not any(message.is_live for message in inbox.messages)
        return inbox.ids


def failed(message: Message) -> Message:
    """Return a message with a failure that ends it."""
    return messages.failed(message, "mapping", "no start", at=store_rows.NOW)


def names(count: int) -> list[str]:
    """Return names that sort as they count."""
    return [f"m{number:04}" for number in range(count)]


@contextlib.contextmanager
def installed(database_url: str, amqp_url: str) -> Iterator[Installation]:
    """Yield an installation with an organization in it."""
    with contextlib.closing(Installation(database_url, amqp_url)) as made:
        made.prepare()
        yield made


@pytest.fixture
def here(postgres_url: str, rabbitmq_url: str) -> Iterator[Installation]:
    """Return an installation."""
    with installed(postgres_url, rabbitmq_url) as made:
        yield made


# -- while nobody files -----------------------------------------------------------


def test_what_failed_is_seen_and_replayed_while_no_worker_runs(
    here: Installation,
) -> None:
    here.fail(*(broker_process.message(name) for name in names(3)))

    listed = here.listed()
    counted = here.run("replay", "--all")

    assert listed == names(3)
    assert counted == {"replayed": 3, "unreadable": [], "missing": []}
    assert sorted(here.taken(3)) == names(3)
    assert here.listed() == []


def test_what_fails_again_comes_back_as_the_same_with_its_history(
    here: Installation,
) -> None:
    here.fail(broker_process.message("m1"))
    here.run("replay", "--all")

    replayed = Inbox(lambda m: Dead(message=failed(m)))
    with consuming(here.broker, replayed):
        replayed.wait_for(1)
    eventually(lambda: ready(here.broker), "it is a dead letter again")

    (letter,) = here.run("show", "--all")
    assert replayed.messages[0].trigger is Trigger.RETRY
    assert [each["reason"] for each in letter["failures"]] == ["mapping"] * 2


@pytest.mark.skipif(
    rabbitmq.find() is None,
    reason="RabbitMQ in a container or at an AMQP_URL is not ours to let crash",
)
def test_a_dead_letter_outlives_a_crash_of_the_broker(
    postgres_url: str, rabbitmq_node: rabbitmq.Node
) -> None:
    with installed(postgres_url, rabbitmq_node.url) as here:
        here.fail(*(broker_process.message(name) for name in names(3)))

        rabbitmq_node.restart()

        assert here.listed() == names(3)


# -- while the database is away ---------------------------------------------------


def test_a_dead_letter_is_filed_once_the_database_is_back(
    here: Installation,
) -> None:
    here.fail(broker_process.message("m1"))
    parts = urlsplit(here.urls["DATABASE_URL"])
    with Proxy(parts.port or 5432) as network:
        host = parts.netloc.replace(f":{parts.port}", f":{network.port}")
        url = urlunsplit(parts._replace(netloc=host))
        with contextlib.closing(Store(url, keys=crypto.Keys([store_rows.KEY]))) as away:
            away.ping()
            there, network.target = network.target, _closed_port()
            network.cut()
            deaths = Deaths(away, clocks.SystemClock())
            with consuming(here.broker, deaths, Queue.DEAD_LETTERS, concurrency=1):
                eventually(
                    lambda: here.broker.depths()["delay.10s"] == 1,
                    "it waits for its next attempt",
                )
                unfiled = here.filed()
                network.target = there
                eventually(lambda: here.filed() == {"m1"}, "it is filed")

    assert unfiled == set()
    assert ready(here.broker) == {}


def _closed_port() -> int:
    with Proxy(0) as closed:
        return closed.port


# -- while the operator is interrupted --------------------------------------------


def test_a_replay_that_is_killed_loses_nothing_and_is_finished_by_another(
    here: Installation,
) -> None:
    everything = names(3 * AT_ONCE)
    here.file(*(failed(broker_process.message(name)) for name in everything))

    # The newest batch goes first; one of the second cannot be forgotten.
    with here.held(everything[-AT_ONCE - 1]):
        process = here.start("replay", "--all")
        eventually(
            lambda: ready(here.broker) == {Queue.RECORDS: 2 * AT_ONCE},
            "the second batch is published",
        )
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)
    left = here.filed()
    counted = here.run("replay", "--all")

    assert left == set(everything[: 2 * AT_ONCE])
    assert counted["replayed"] == len(left)
    assert here.filed() == set()
    came = here.taken(len(everything))
    # The batch that was in hand is there twice.
    assert sorted(came) == sorted(everything + everything[AT_ONCE : 2 * AT_ONCE])
