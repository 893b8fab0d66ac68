"""The results as a table for a terminal and for the README."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, and what came out."""

    what: str
    result: str


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = ["| measured | result |", "|---|---|"]
    lines += [f"| {row.what} | {row.result} |" for row in rows]
    return "\n".join(lines)
