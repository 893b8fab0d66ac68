"""A client that sends one request over and over: `python -m tests.benchmarks.load`.

Reads `PORT SECONDS CONNECTIONS` from its arguments and the request from standard input;
prints as JSON how many answers were 2xx, how many were not, and how long they took in
seconds. A thread per connection would measure this interpreter, so one selector serves
all of them.
"""

import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field

_ACCEPTED = range(200, 300)
_STATUS = slice(9, 12)
"""Where the status stands in `HTTP/1.1 202 ACCEPTED`."""


@dataclass(slots=True)
class Connection:
    """A connection with one request under way."""

    socket: socket.socket
    sent_at: float = 0.0
    received: bytes = b""


@dataclass(slots=True)
class Tally:
    """What came of the requests."""

    accepted: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)


def measure(port: int, seconds: float, connections: int, request: bytes) -> Tally:
    """Send the request on all connections for so long."""
    tally = Tally()
    waiting = selectors.DefaultSelector()
    for _ in range(connections):
        opened = socket.create_connection(("127.0.0.1", port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(opened)
        waiting.register(opened, selectors.EVENT_READ, connection)
        _send(connection, request)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for key, _ in waiting.select(timeout=1):
            connection = key.data
            connection.received += connection.socket.recv(65536)
            if _is_whole(connection.received):
                _count(tally, connection)
                _send(connection, request)
    for key in list(waiting.get_map().values()):
        key.data.socket.close()
    waiting.close()
    return tally


def _send(connection: Connection, request: bytes) -> None:
    connection.received = b""
    connection.sent_at = time.monotonic()
    connection.socket.sendall(request)


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return True


def _count(tally: Tally, connection: Connection) -> None:
    tally.seconds.append(time.monotonic() - connection.sent_at)
    if int(connection.received[_STATUS]) in _ACCEPTED:
        tally.accepted += 1
    else:
        tally.refused += 1


def percentile(seconds: list[float], share: float) -> float:
    """Return the value below which this share of all lies; 0 of none."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def main() -> None:
    """Measure, and print what came of it."""
    port, seconds, connections = sys.argv[1:]
    request = sys.stdin.buffer.read()
    tally = measure(int(port), float(seconds), int(connections), request)
    report = {
        "accepted": tally.accepted,
        "refused": tally.refused,
        "p50": percentile(tally.seconds, 0.5),
        "p99": percentile(tally.seconds, 0.99),
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
