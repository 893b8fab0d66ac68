"""`calendar-sync token`: tokens for the JSON API."""

from datetime import timedelta

import click

from deploy.cli import credentials, foundation, identities, naming, readiness


@click.group("token", short_help="Make tokens for the JSON API.")
def command() -> None:
    """Make tokens for the JSON API."""


@command.command("create")
@identities.options
@click.option(
    "--expires",
    "days",
    type=click.IntRange(1, 36500),
    metavar="DAYS",
    help="Make it invalid after so many days; by default it stays valid.",
)
def create(*, name: str, role: str, user_id: str | None, days: int | None) -> None:
    """Print a new token. It is not stored, and cannot be shown again."""
    identities.check_role(role, user_id)
    with foundation.opened() as base:
        readiness.require_schema(base)
        with base.store.begin() as work:
            organization = naming.organization(work, name)
            naming.check_user(work, organization, user_id)
            token = credentials.new_token(
                work,
                organization,
                role,
                now=base.clock.now(),
                user_id=user_id,
                lifetime=timedelta(days=days) if days else None,
            )
            work.commit()
    click.echo(token)
