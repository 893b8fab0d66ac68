"""What listing commands print: a small table, or JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import click

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON instead of a table."
)


def show_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under headings, in columns."""
    lines = [list(headings), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headings))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def show_fields(document: Mapping[str, object]) -> None:
    """Print a document, a field a line."""
    width = max(map(len, document))
    for name, value in document.items():
        shown = json.dumps(value) if isinstance(value, dict | list) else _text(value)
        click.echo(f"{name.ljust(width)}  {shown}".rstrip())


def show_json(document: object) -> None:
    """Print a document as JSON."""
    click.echo(json.dumps(document, indent=2, default=_text))


def _text(value: object) -> str:
    match value:
        case None:
            return "-"
        case datetime():
            return value.isoformat(timespec="seconds")
        case _:
            return str(value)
