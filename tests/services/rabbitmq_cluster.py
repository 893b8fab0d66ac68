"""A RabbitMQ cluster of three nodes on this machine, to be torn apart by tests."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.services import rabbitmq

SIZE = 3
"""A majority outlives the loss of one."""

_SETTINGS = """\
cluster_formation.peer_discovery_backend = classic_config
cluster_partition_handling = pause_minority
net_ticktime = 8
"""

_ADVANCED = "[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 5000}]}]."
"""How soon a delay queue hands over again what a node took along, in milliseconds."""


class Cluster:
    """Nodes that keep what is queued together."""

    def __init__(self, nodes: Sequence[rabbitmq.Node]) -> None:
        """Take the nodes, which run."""
        self.nodes = nodes

    @property
    def url(self) -> str:
        """The addresses of all nodes, as `AMQP_URL` takes them."""
        return ",".join(node.url for node in self.nodes)

    @contextmanager
    def apart(self, node: rabbitmq.Node) -> Iterator[None]:
        """Let a node and the others not reach each other while the block runs.

        Its clients can reach it all the same, as in a partition of real networks.
        """
        others = [other.name for other in self.nodes if other is not node]
        # With two cookies, neither side takes the other's connections.
        node.evaluate(
            _each(others, "erlang:set_cookie(N, stranger), disconnect_node(N)")
        )
        try:
            yield
        finally:
            node.evaluate(_each(others, "erlang:set_cookie(N, erlang:get_cookie())"))


def _each(names: Sequence[str], expression: str) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    return f"[begin {expression} end || N <- [{listed}]]."


@contextmanager
def running(directory: Path) -> Iterator[Cluster]:
    """Run a cluster in the block.

    Raises `MissingServiceError` where RabbitMQ is not installed or does not start.
    """
    place = rabbitmq.Place(directory)
    homes = [directory / str(number) for number in range(SIZE)]
    for home in homes:
        home.mkdir()
    nodes = [rabbitmq.Node(home, place) for home in homes]
    for node in nodes:
        node.advanced = _ADVANCED
        node.settings = _SETTINGS + "".join(
            f"cluster_formation.classic_config.nodes.{number} = {each.name}\n"
            for number, each in enumerate(nodes)
        )
    with ExitStack() as stack, ThreadPoolExecutor(SIZE) as pool:
        stack.callback(place.close)
        place.open()
        list(pool.map(stack.enter_context, nodes))
        yield Cluster(nodes)
