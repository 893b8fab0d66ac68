"""`calendar-sync login-link`: a one-time sign-in address."""

import click

from deploy.cli import credentials, foundation, identities, naming, readiness


@click.command(
    "login-link", short_help="Print a one-time address that signs somebody in."
)
@identities.options
def command(*, name: str, role: str, user_id: str | None) -> None:
    """Print an address that signs somebody in, once, within five minutes."""
    identities.check_role(role, user_id)
    with foundation.opened() as base:
        readiness.require_schema(base)
        with base.store.begin() as work:
            organization = naming.organization(work, name)
            naming.check_user(work, organization, user_id)
            code = credentials.new_login_code(
                work, organization, role, now=base.clock.now(), user_id=user_id
            )
            work.commit()
        click.echo(f"{base.config.public_url}/login?code={code}")
