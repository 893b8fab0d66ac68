"""`calendar-sync doctor`: checks everything, and says what to do."""

from collections.abc import Iterator

import click

from deploy.cli import (
    checks_broker,
    checks_certificates,
    checks_here,
    foundation,
    output,
    remotes,
)
from deploy.cli.checks_there import OrganizationChecks
from deploy.cli.findings import Finding, Level
from deploy.cli.foundation import Foundation


@click.command("doctor", short_help="Check everything, and say what to do.")
@output.json_option
def command(*, as_json: bool) -> None:
    """Check everything that a night without a call depends on.

    \b
    here   configuration, database and its schema, stored secrets, broker and its
           queues, receiver, certificates, disk, dead letters
    there  each organization's CRM, Google app and calendars, both clocks, channels

    Says what to do for each finding. Exits with 1 when there is a problem that an
    operator can mend.
    """
    with foundation.opened() as base:
        found = []
        for finding in _examine(base):
            found.append(finding)
            if not as_json:
                _show(finding)
    if as_json:
        output.show_json([finding.to_document() for finding in found])
    if any(finding.level is Level.PROBLEM for finding in found):
        raise click.exceptions.Exit(1)


def _examine(base: Foundation) -> Iterator[Finding]:
    yield from checks_here.check_configuration(base)
    database = list(checks_here.check_database(base))
    yield from database
    yield from checks_broker.check_broker(base)
    yield from checks_here.check_receiver(base)
    yield from checks_certificates.check_certificates(base)
    yield from checks_here.check_disk(base)
    if any(finding.level is Level.PROBLEM for finding in database):
        return
    yield from checks_here.check_secrets(base)
    yield from checks_here.check_dead_letters(base)
    with base.store.read() as work:
        organizations = work.organizations.all()
    reached = remotes.build(base)
    for row in organizations:
        yield from OrganizationChecks(base, row, reached).run()


def _show(finding: Finding) -> None:
    click.echo(f"{finding.level:<8} {finding.subject}: {finding.text}")
    if finding.remedy:
        click.echo(f"{'':<8} -> {finding.remedy}")
