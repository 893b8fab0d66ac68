"""Whom a token or a sign-in address stands for: the options of both commands."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from shared.adapters.store.states import Role

Function = TypeVar("Function", bound=Callable[..., Any])

_ORGANIZATION = click.option(
    "--org", "name", required=True, help="The organization's name."
)
_ROLE = click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="admin: everything; user: the own meetings; operator: health, dead letters.",
)
_USER = click.option(
    "--user", "user_id", metavar="CRM_USER_ID", help="Required with the role user."
)


def options(function: Function) -> Function:
    """Add --org, --role and --user to a command."""
    return _ORGANIZATION(_ROLE(_USER(function)))


def check_role(role: str, user_id: str | None) -> None:
    """End the command when a user's role comes without the user."""
    if role == Role.USER and not user_id:
        message = "is required with the role user"
        raise click.BadParameter(message, param_hint="--user")
