"""The table of messages, and the statements on it.

A message waits until `available_at`. A claim moves that into the future, under a token
of its own: who claimed keeps it there while the handler runs, and what a killed worker
had in hand becomes available again by itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, zip_longest

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    union_all,
    update,
)

from shared.domain import messages
from shared.domain.messages import Message, Queue

metadata = MetaData()
rows = Table(
    "messages",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer(), "sqlite"),
        primary_key=True,
    ),
    Column("queue", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("available_at", DateTime(timezone=True), nullable=False),
    Column("deliveries", Integer, nullable=False, default=0),
    Column("claimant", String(64)),
    Index("ix_messages_next", "queue", "available_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message in the hands of a consumer; `deliveries` counts this one too."""

    id: int
    queue: Queue
    body: bytes
    deliveries: int
    claimant: str


def add(
    connection: Connection,
    published: Sequence[tuple[Queue, Message]],
    available_at: datetime,
) -> None:
    """Store messages, each for its queue."""
    values = [
        {
            "queue": queue.value,
            "body": messages.encode(message),
            "available_at": available_at,
        }
        for queue, message in published
    ]
    connection.execute(insert(rows), values)


def has_due(connection: Connection, queues: Sequence[Queue], now: datetime) -> bool:
    """Tell whether any of the queues has a message that is available."""
    due = rows.c.queue.in_([q.value for q in queues]) & (rows.c.available_at <= now)
    return connection.scalar(select(rows.c.id).where(due).limit(1)) is not None


def due(
    connection: Connection, queues: Sequence[Queue], limit: int, now: datetime
) -> list[int]:
    """Return the ids of available messages: oldest first, the queues taking turns.

    Taking turns, beginning with the first queue, keeps a long queue from holding up
    the others.
    """
    heads = union_all(
        *(
            select(
                select(rows.c.queue, rows.c.available_at, rows.c.id)
                .where(rows.c.queue == queue.value, rows.c.available_at <= now)
                .order_by(rows.c.available_at, rows.c.id)
                .limit(limit)
                .subquery()
            )
            for queue in queues
        )
    )
    ids = defaultdict(list)
    for row in sorted(connection.execute(heads), key=lambda r: (r.available_at, r.id)):
        ids[row.queue].append(row.id)
    turns = zip_longest(*(ids[queue.value] for queue in queues))
    return [i for i in chain.from_iterable(turns) if i is not None][:limit]


def claim(
    connection: Connection,
    ids: Sequence[int],
    claimant: str,
    *,
    now: datetime,
    until: datetime,
) -> Iterator[Claimed]:
    """Take those of the messages that nobody else took meanwhile, in the given order.

    `claimant` must be new, because SQLite gives the ids of deleted rows out again.
    """
    taken = connection.execute(
        update(rows)
        .where(rows.c.id.in_(ids), rows.c.available_at <= now)
        .values(available_at=until, claimant=claimant, deliveries=rows.c.deliveries + 1)
        .returning(rows.c.id, rows.c.queue, rows.c.body, rows.c.deliveries)
    )
    for row in sorted(taken, key=lambda r: ids.index(r.id)):
        yield Claimed(
            id=row.id,
            queue=Queue(row.queue),
            body=row.body,
            deliveries=row.deliveries,
            claimant=claimant,
        )


def renew(connection: Connection, claims: Sequence[Claimed], until: datetime) -> None:
    """Keep claims that are still ours for longer."""
    mine = rows.c.id.in_([c.id for c in claims]) & rows.c.claimant.in_(
        {c.claimant for c in claims}
    )
    connection.execute(update(rows).where(mine).values(available_at=until))


def give_back(connection: Connection, claimed: Claimed, now: datetime) -> None:
    """Let a message be delivered again."""
    values = {"available_at": now, "claimant": None}
    connection.execute(update(rows).where(_still(claimed)).values(**values))


def remove(connection: Connection, claimed: Claimed) -> bool:
    """Delete a message; False when the claim was lost and it is somebody else's."""
    return connection.execute(delete(rows).where(_still(claimed))).rowcount == 1


def _still(claimed: Claimed) -> ColumnElement[bool]:
    return (rows.c.id == claimed.id) & (rows.c.claimant == claimed.claimant)


def depths(connection: Connection, now: datetime) -> Mapping[str, int]:
    """Count the available messages by queue, and under `delayed` what waits its time.

    What is in hand counts nowhere.
    """
    ready = rows.c.available_at <= now
    waits = ready | rows.c.claimant.is_(None)
    query = select(rows.c.queue, ready, func.count()).where(waits)
    counted = dict.fromkeys([*(q.value for q in Queue), "delayed"], 0)
    for queue, is_ready, count in connection.execute(query.group_by("queue", ready)):
        counted[queue if is_ready else "delayed"] += count
    return counted
