"""`calendar-sync demo`: everything, with a simulated Google and CRM."""

import contextlib
from pathlib import Path

import click

from deploy.cli import foundation, notices, stopping, supervision
from deploy.cli.demo import (
    addresses,
    home,
    organization,
    programs,
    report,
    staging,
    variables,
)


@click.command("demo", short_help="Run everything with a simulated Google and CRM.")
@click.option(
    "--port-base",
    type=click.IntRange(1, addresses.HIGHEST_BASE),
    default=8080,
    show_default=True,
    help="The receiver's port; the simulated Google and CRM take the two after it.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Where everything is kept.",
)
@click.option("--fresh", is_flag=True, help="Start from the seed again.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one line of JSON when all is ready, and nothing else.",
)
def command(*, port_base: int, data: Path, fresh: bool, as_json: bool) -> None:
    """Run everything with a simulated Google Calendar and a simulated CRM.

    Three users are connected and have a few weeks of meetings. DATABASE_URL and
    AMQP_URL are used when they are set.
    """
    where = addresses.Addresses.in_a_row(port_base)
    where.check()
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(home.opened(data, fresh=fresh))
        variables.put(kept, where)
        kept.keep_variables(variables.of_commands(where))
        stage = staging.Stage(
            base=stack.enter_context(foundation.opened(narrates=True)),
            home=kept,
            where=where,
            cast=programs.cast(kept, where),
            wish=stopping.Wish(),
            supervisor=stack.enter_context(supervision.Supervisor()),
            say=(lambda _: None) if as_json else _say,
        )
        _play(stage, as_json=as_json)


def _play(stage: staging.Stage, *, as_json: bool) -> None:
    stage.wish.listen()
    try:
        stage.bring_up()
        if as_json:
            click.echo(report.line(stage.home, stage.where))
        else:
            sign_in = organization.sign_in_address(stage.base)
            click.echo(report.invitation(stage.home, stage.where, sign_in))
        notices.ready()
        stage.wait(lambda: False)
    except staging.StoppedError:
        stage.say("Stopping ...")
    except supervision.MisusedError:
        # It has said why.
        raise click.exceptions.Exit(supervision.MISUSED) from None
    finally:
        stage.take_down()


def _say(text: str) -> None:
    click.echo(text, err=True)
