"""`calendar-sync dead-letters`: see, replay and discard what failed for good."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from deploy.cli import agreement, letters, output
from shared.domain import errors, reasons
from webhook_receiver.api.dead_letters import (
    DeadLetterDetailDocument,
    DeadLetterDocument,
)

_NEWEST = 100


@click.group("dead-letters", short_help="See, replay or discard what failed for good.")
def command() -> None:
    """See, replay or discard what failed for good.

    Needs no workers: what waits in the queue of dead letters is filed first, as they
    would do.
    """


# -- seeing -----------------------------------------------------------------------


@command.command("list")
@letters.filters
@click.option("--all", "is_all", is_flag=True, help=f"Not only the newest {_NEWEST}.")
@output.json_option
def list_(*, is_all: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the filters
    """List dead letters, the newest first."""
    with letters.found(letters.Wish(**options)) as found:
        missing = found.tell_missing()
        count = found.letters.count(found.selection)
        rows = itertools.islice(found.rows(), None if is_all else _NEWEST)
        shown = [found.document(row, DeadLetterDocument) for row in rows]
    if as_json:
        output.show_json(shown)
    elif shown:
        headings = ("ID", "SINCE", "QUEUE", "REASON", "ORG", "ABOUT", "ERROR")
        output.show_table(headings, [_cells(document) for document in shown])
    else:
        click.echo("There are none.")
    if len(shown) < count:
        click.echo(f"These are the newest of {count}; --all lists all.", err=True)
    if missing:
        raise click.exceptions.Exit(1)


def _cells(document: Mapping[str, Any]) -> Sequence[object]:
    return (
        document["id"],
        document["created_at"],
        document["queue"],
        document["reason"],
        document["organization"],
        document["task_id"] or document["event_id"],
        document["error"],
    )


@command.command("show")
@letters.filters
@letters.all_option
@output.json_option
def show(*, is_all: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the filters
    """Show messages, and every attempt that failed, with why."""
    wish = letters.Wish(**options)
    wish.require_selection(is_all=is_all)
    with letters.found(wish) as found:
        missing = found.tell_missing()
        shown = (found.document(row, DeadLetterDetailDocument) for row in found.rows())
        if as_json:
            output.show_json(list(shown))
        else:
            for document in shown:
                _show(document)
    if missing:
        raise click.exceptions.Exit(1)


def _show(document: dict[str, Any]) -> None:
    failures, message, text = map(document.pop, ("failures", "message", "text"))
    output.show_fields(document)
    click.echo(f"\nWhy: {reasons.explain(document['reason'])}\n")
    for failure in failures:
        click.echo(f"{failure['at']}  {failure['reason']}: {failure['explanation']}")
        click.echo(f"    {failure['error']}")
    click.echo()
    click.echo(json.dumps(message, indent=2) if message is not None else text)
    click.echo()


# -- acting -----------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Tally:
    """How far a command has come."""

    done: int = 0
    unreadable: list[int] = field(default_factory=list)


@contextmanager
def _counting(participle: str) -> Iterator[_Tally]:
    """Yield a tally; where the block breaks off, one line tells how far it came."""
    tally = _Tally()
    try:
        yield tally
    except (KeyboardInterrupt, errors.SyncError) as error:
        message = (
            f"{str(error) or 'interrupted'}; {tally.done} are {participle}, all others "
            "are dead letters still: the same command goes on with them"
        )
        raise click.ClickException(message) from error


@command.command("replay")
@letters.filters
@letters.all_option
@output.json_option
def replay(*, is_all: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the filters
    """Put dead letters back into their queues.

    Their records are looked at as they are now, and no guest gets mail. What fails
    again comes back with its history. Many are replayed in batches: interrupted, the
    same command goes on with those that are left.

    Exits with 1 when a message cannot be read, which stays, or an id is not there.
    """
    wish = letters.Wish(**options)
    wish.require_selection(is_all=is_all)
    with letters.found(wish) as found, _counting("replayed") as tally:
        found.base.broker.declare()
        missing = found.tell_missing()
        for rows in found.batches("Replaying"):
            unreadable = found.letters.replay(rows)
            tally.unreadable += unreadable
            tally.done += len(rows) - len(unreadable)
    if as_json:
        output.show_json(
            {
                "replayed": tally.done,
                "unreadable": tally.unreadable,
                "missing": missing,
            }
        )
    else:
        click.echo(f"Replayed {tally.done}.")
    if tally.unreadable:
        ids = ", ".join(map(str, tally.unreadable))
        told = f"Cannot be read, and stay: {ids}; `show` them, then `discard` them."
        click.echo(told, err=True)
    if tally.unreadable or missing:
        raise click.exceptions.Exit(1)


@command.command("discard")
@letters.filters
@letters.all_option
@agreement.option
@output.json_option
def discard(*, is_all: bool, yes: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the filters
    """Forget dead letters for good.

    What they are about is looked at again when it changes, or by `calendar-sync sync`.

    Exits with 1 when an id is not there.
    """
    wish = letters.Wish(**options)
    wish.require_selection(is_all=is_all)
    with letters.found(wish) as found, _counting("discarded") as tally:
        missing = found.tell_missing()
        count = found.letters.count(found.selection)
        if count and not agreement.is_given(f"Discard {count} for good?", yes=yes):
            raise click.Abort
        for rows in found.batches("Discarding"):
            tally.done += found.letters.discard(rows)
    if as_json:
        output.show_json({"discarded": tally.done, "missing": missing})
    else:
        click.echo(f"Discarded {tally.done}.")
    if missing:
        raise click.exceptions.Exit(1)
