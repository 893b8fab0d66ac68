"""The receiver with a broker that takes nothing: what answering alone costs.

`python -m tests.benchmarks.silent_receiver PORT`, with the environment of `serve`.
"""

import dataclasses
import sys
from collections.abc import Mapping

from deploy.cli import foundation, listening, receiver
from shared.adapters.broker_local import LocalBroker
from shared.domain.messages import Delay, Message


class SilentBroker(LocalBroker):
    """Says that all is stored, and stores nothing."""

    def publish(self, *published: Message, delay: Delay | None = None) -> None:
        """Do nothing."""

    def declare(self) -> None:
        """Do nothing."""

    def ping(self) -> None:
        """Do nothing."""

    def depths(self) -> Mapping[str, int]:
        """Return no queues."""
        return {}


def main() -> None:
    """Serve until stopped, with as many processes and threads as the real one."""
    with foundation.opened() as base:
        silent = SilentBroker(lambda: base.store.engine, base.clock)
        taken = listening.bound("127.0.0.1", int(sys.argv[1]), "PORT")
        receiver.run(dataclasses.replace(base, broker=silent), [taken], workers=2)


if __name__ == "__main__":
    main()
