"""What the doctor finds out about the queues on RabbitMQ."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import main
from shared.adapters.broker_rabbitmq import RabbitBroker, connecting, topology
from shared.domain.messages import Queue
from tests import broker_process, clocks, store_rows
from tests.broker_contract import Inbox, consuming, eventually, ready

RECORDS = topology.queue_name(Queue.RECORDS)


@pytest.fixture
def broker(rabbitmq_url: str) -> Iterator[RabbitBroker]:
    """Return a broker whose queues are declared."""
    broker = RabbitBroker(rabbitmq_url, clocks.SystemClock())
    broker.declare()
    yield broker
    broker.close()


def examine(url: str, folder: Path) -> Mapping[str, Mapping[str, str]]:
    """Let the doctor look; return what it found, by subject."""
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/calendar-sync.db",
        "AMQP_URL": url,
        "PUBLIC_URL": "http://localhost:8123",
        "SECRET_KEYS": store_rows.KEY,
    }
    CliRunner(env=environment).invoke(main, ["migrate"], catch_exceptions=False)
    result = CliRunner(env=environment).invoke(
        main, ["doctor", "--json"], catch_exceptions=False
    )
    return {row["subject"]: row for row in json.loads(result.stdout)}


@pytest.mark.usefixtures("broker")
def test_queues_that_nobody_consumes_are_worth_a_note(
    rabbitmq_url: str, tmp_path: Path
) -> None:
    found = examine(rabbitmq_url, tmp_path)

    assert found["broker"]["level"] == "ok"
    assert found["consumers"]["level"] == "note"
    assert RECORDS in found["consumers"]["text"]
    assert "start `calendar-sync work`" in found["consumers"]["remedy"]


def test_messages_that_nobody_consumes_are_a_problem(
    broker: RabbitBroker, rabbitmq_url: str, tmp_path: Path
) -> None:
    broker.publish(broker_process.message("m1"), broker_process.message("m2"))
    eventually(lambda: ready(broker) == {Queue.RECORDS: 2}, "both wait")

    found = examine(rabbitmq_url, tmp_path)

    assert found["consumers"]["level"] == "problem"
    assert "where 2 messages wait" in found["consumers"]["text"]


def test_queues_with_consumers_are_well(
    broker: RabbitBroker, rabbitmq_url: str, tmp_path: Path
) -> None:
    with consuming(broker, Inbox(), *Queue):
        eventually(lambda: not broker.survey().unattended, "all are consumed")

        found = examine(rabbitmq_url, tmp_path)

    assert found["consumers"]["level"] == "ok"


def test_a_queue_of_another_kind_is_named_and_left_alone(
    broker: RabbitBroker, rabbitmq_url: str
) -> None:
    with connecting.connected(rabbitmq_url, "tests") as connection:
        channel = connection.channel()
        channel.queue_delete(RECORDS)
        channel.queue_declare(RECORDS, durable=True)

    survey = broker.survey()

    assert list(survey.differing) == [RECORDS]
    assert "inequivalent arg" in survey.differing[RECORDS]
    assert survey.missing == []


def test_a_queue_that_is_missing_is_named_and_not_made(
    broker: RabbitBroker, rabbitmq_url: str
) -> None:
    with connecting.connected(rabbitmq_url, "tests") as connection:
        connection.channel().queue_delete(RECORDS)

    surveys = [broker.survey() for _ in range(2)]

    assert [survey.missing for survey in surveys] == [[RECORDS]] * 2
