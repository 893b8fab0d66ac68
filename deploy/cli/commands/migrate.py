"""`calendar-sync migrate`: brings database and broker to this release."""

import click

from deploy import migrations
from deploy.cli import foundation


@click.command(
    "migrate", short_help="Bring the database and the broker to this release."
)
def command() -> None:
    """Bring the database and the broker to this release.

    Run it before the processes of a new release start; those of the old one may go on
    meanwhile. Does nothing where there is nothing to do.
    """
    with foundation.opened() as base:
        migrations.upgrade(base.store.engine)
        click.echo("The database has this release's schema.", err=True)
        base.broker.declare()
        click.echo("The broker has all queues.", err=True)
