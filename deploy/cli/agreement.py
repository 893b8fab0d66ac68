"""Asking whoever types a command whether it may do what cannot be taken back."""

import sys

import click

option = click.option(
    "--yes",
    is_flag=True,
    help="Do not ask first; without a terminal nobody is asked anyway.",
)


def is_given(question: str, *, yes: bool) -> bool:
    """Return whether somebody agreed, by the option or when asked.

    Scripts and schedulers have no terminal to be asked on: they mean what they say.
    """
    return yes or not is_terminal() or click.confirm(question, err=True)


def is_terminal() -> bool:
    """Tell whether somebody is there to be asked."""
    return sys.stdin.isatty()
