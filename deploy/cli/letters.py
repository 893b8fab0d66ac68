"""Which dead letters a command means: its options, and what they choose."""

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from deploy.cli import filing, foundation, naming, readiness
from deploy.cli.foundation import Foundation
from shared.adapters.store import tables
from shared.domain import errors
from shared.domain.messages import Queue
from webhook_receiver.api.dead_letters import DeadLetterDocument
from webhook_receiver.dead_letters import DeadLetters, Selection

Function = TypeVar("Function", bound=Callable[..., Any])

_QUEUES = [queue.value for queue in Queue if queue is not Queue.DEAD_LETTERS]
_LARGEST_ID = 2**63 - 1


def filters(function: Function) -> Function:
    """Add --org, --id, --reason and --queue to a command."""
    for option in (
        click.option("--queue", type=click.Choice(_QUEUES), help="Where it failed."),
        click.option("--reason", metavar="R", help="Why, as `list` shows it."),
        click.option(
            "--id",
            "ids",
            multiple=True,
            metavar="ID",
            type=click.IntRange(1, _LARGEST_ID),
            help="This one; may be given more than once.",
        ),
        click.option("--org", metavar="NAME", help="Only those of this organization."),
    ):
        function = option(function)
    return function


all_option = click.option("--all", "is_all", is_flag=True, help="All there are.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the options say."""

    org: str | None
    ids: Sequence[int]
    reason: str | None
    queue: str | None

    def __post_init__(self) -> None:
        if self.ids and (self.reason or self.queue):
            message = "--id names single dead letters: leave out --reason and --queue"
            raise click.UsageError(message)

    def require_selection(self, *, is_all: bool) -> None:
        """End the command unless it says clearly which dead letters are meant."""
        is_some = bool(self.ids or self.reason or self.queue)
        if not is_some and not is_all:
            message = "say which ones: --id ID, --reason R, --queue Q, or --all"
            raise click.UsageError(message)
        if is_some and is_all:
            message = "--all goes with none of --id, --reason and --queue"
            raise click.UsageError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The dead letters, and which of them are meant."""

    base: Foundation
    letters: DeadLetters
    selection: Selection
    organizations: Mapping[int, str]

    def rows(self) -> Iterator[tables.DeadLetter]:
        """Yield the selected ones."""
        return itertools.chain.from_iterable(self.letters.batches(self.selection))

    def tell_missing(self) -> Sequence[int]:
        """Say which ids are not there, and return them."""
        missing = self.letters.missing(self.selection)
        if missing:
            ids = ", ".join(map(str, missing))
            click.echo(f"Not among the dead letters, or not any more: {ids}", err=True)
        return missing

    def batches(self, label: str) -> Iterator[Sequence[tables.DeadLetter]]:
        """Yield the selected ones in batches, with a progress bar on a terminal."""
        with click.progressbar(
            length=self.letters.count(self.selection),
            label=label,
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        ) as bar:
            for rows in self.letters.batches(self.selection):
                yield rows
                bar.update(len(rows))

    def document(
        self, row: tables.DeadLetter, kind: type[DeadLetterDocument]
    ) -> dict[str, Any]:
        """Return a dead letter as JSON has it."""
        organization = self.organizations.get(row.organization_id or 0)
        return {"organization": organization, **kind.of(row).model_dump(mode="json")}


@contextmanager
def found(wish: Wish) -> Iterator[Found]:
    """Open what is needed, and find what is wished for; files first what waits."""
    with foundation.opened() as base:
        readiness.require_schema(base)
        organization_id = None
        with base.store.read() as work:
            if wish.org is not None:
                organization_id = naming.organization(work, wish.org).id
            organizations = {row.id: row.name for row in work.organizations.all()}
        try:
            filing.file_waiting(base)
        except errors.BrokerConnectionError as error:
            click.echo(f"Looked only at what is filed already: {error}", err=True)
        yield Found(
            base=base,
            letters=DeadLetters(base.store, base.broker),
            selection=Selection(
                organization_id=organization_id,
                ids=frozenset(wish.ids) or None,
                reason=wish.reason,
                queue=wish.queue,
            ),
            organizations=organizations,
        )
