"""A RabbitMQ cluster loses nodes while changes stream through: nothing is lost."""

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests

from shared.adapters.broker_rabbitmq import topology
from shared.domain import errors
from shared.domain.messages import Queue
from shared.domain.ports import Broker
from tests import services
from tests.broker_process import message, open_broker
from tests.e2e.stream import Stream, assert_nothing_travels
from tests.e2e.system import System, eventually
from tests.services import rabbitmq, rabbitmq_cluster, vhosts
from tests.services.rabbitmq_cluster import Cluster

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        rabbitmq.find() is None,
        reason="RabbitMQ in a container or at an AMQP_URL is not ours to tear apart",
    ),
]

_STILL_SECONDS = 5.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with rabbitmq_cluster.running(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def system(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    with (
        services.database() as database_url,
        System(
            tmp_path_factory.mktemp("system"),
            database_url=database_url,
            # Of a node that hangs, its clients learn by its silence alone.
            amqp_url=",".join(f"{node.url}?heartbeat=4" for node in cluster.nodes),
            # What the broker lost must not come by a poll.
            safety_poll_seconds=3600,
        ) as system,
    ):
        yield system


@contextlib.contextmanager
def streaming(system: System) -> Iterator[Stream]:
    """Let changes flow before, in and after the block; all must arrive, once."""
    stream = Stream(system)
    stream.round()
    stream.round()
    yield stream
    stream.round()
    stream.round()
    eventually(stream.assert_arrived, 120)
    eventually(system.assert_quiet)
    assert_nothing_travels(system, _STILL_SECONDS)
    assert not system.api("GET", "/dead-letters")["items"]


def leader(cluster: Cluster) -> rabbitmq.Node:
    """Return the node through which everything goes that is done to a queue."""
    found = _queue(cluster, Queue.RECORDS)["leader"]
    (node,) = [node for node in cluster.nodes if node.name == found]
    return node


def assert_another_leads(cluster: Cluster, hangs: rabbitmq.Node) -> None:
    """Assert that the others have gone on without the one that leads the queues."""
    other = next(node for node in cluster.nodes if node is not hangs)
    name = f"%2F_{topology.queue_name(Queue.RECORDS)}"
    assert hangs.name not in other.evaluate(f"ra_leaderboard:lookup_leader('{name}').")


def _queue(cluster: Cluster, queue: Queue) -> dict[str, Any]:
    node = next(node for node in cluster.nodes if node.is_up())
    answer = requests.get(
        f"{node.api}/queues/%2F/{topology.queue_name(queue)}", timeout=10
    )
    assert answer.ok, answer.text
    return dict(answer.json())


def assert_whole(cluster: Cluster) -> None:
    """Assert that all nodes are up, know it, and keep the queue of records together."""
    names = {node.name for node in cluster.nodes}
    for node in cluster.nodes:
        assert node.is_up()
        assert _seen_from(node) == names
    assert set(_queue(cluster, Queue.RECORDS)["online"]) == names


def _seen_from(node: rabbitmq.Node) -> set[str]:
    answer = requests.get(f"{node.api}/nodes", timeout=10)
    assert answer.ok, answer.text
    return {each["name"] for each in answer.json() if each["running"]}


def test_the_node_that_leads_the_queues_is_killed(
    cluster: Cluster, system: System
) -> None:
    eventually(lambda: assert_whole(cluster))

    with streaming(system) as stream:
        node = leader(cluster)
        node.kill()
        stream.round()
        stream.round()
        eventually(stream.assert_arrived)
        node.start()

    eventually(lambda: assert_whole(cluster))


def test_the_node_that_leads_the_queues_is_cut_off_from_the_others(
    cluster: Cluster, system: System
) -> None:
    eventually(lambda: assert_whole(cluster))

    with streaming(system) as stream, cluster.apart(node := leader(cluster)):
        stream.round()
        stream.round()
        eventually(stream.assert_arrived)
        # The smaller part stops by itself, so that there are never two truths.
        assert not node.is_up()

    eventually(lambda: assert_whole(cluster))


def test_the_node_that_leads_the_queues_hangs(cluster: Cluster, system: System) -> None:
    eventually(lambda: assert_whole(cluster))

    hangs = leader(cluster)
    with streaming(system) as stream, hangs.frozen():
        stream.round()
        stream.round()
        eventually(lambda: assert_another_leads(cluster, hangs))
        # Not all arrives already: another node's channel that asks the hanging node
        # keeps what it has until that one answers.
        stream.round()

    # RabbitMQ does not end by itself that its nodes know of different virtual hosts.
    hangs.restart()
    eventually(lambda: assert_whole(cluster))


def test_whoever_first_needs_a_queue_while_its_leader_dies_is_served_soon(
    cluster: Cluster,
) -> None:
    dies = cluster.nodes[0]
    with vhosts.created(dies.url, dies.api) as first, contextlib.ExitStack() as stack:
        path = urlsplit(first).path
        urls = [urlunsplit(urlsplit(n.url)._replace(path=path)) for n in cluster.nodes]
        brokers = [open_broker(url) for url in [urls[0], *urls[1:] * 5]]
        for broker in brokers:
            stack.callback(broker.close)
        declaring, *others = brokers
        declaring.declare()
        # Each has a channel by then, and knows of one queue.
        for broker in others:
            eventually(lambda b=broker: _publish(b, Queue.RECORDS), 10)  # type: ignore[misc] # mypy sees no default

        dies.kill()
        for broker in others:
            with contextlib.suppress(AssertionError):
                _publish(broker, Queue.BACKFILL)

        for broker in others:
            eventually(lambda b=broker: _publish(b, Queue.BACKFILL), 10)  # type: ignore[misc] # mypy sees no default
        dies.start()


def _publish(broker: Broker, queue: Queue) -> None:
    try:
        broker.publish(message("any", queue))
    except errors.BrokerConnectionError as error:
        raise AssertionError(str(error)) from error
