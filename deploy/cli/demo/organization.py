"""The organization of the demo, as an operator would set it up."""

from sqlalchemy import delete, select

from deploy import migrations
from deploy.cli import credentials, naming, organizations
from deploy.cli.demo.addresses import Addresses
from deploy.cli.demo.home import Home, Kept
from deploy.cli.foundation import Foundation
from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Role
from shared.domain import errors, signing

NAME = "demo"


def prepare_database(base: Foundation, kept: Kept) -> None:
    """Bring the database to our schema; empty it for a demo that begins anew.

    Raises `ConfigurationError` when other organizations live there, unless they came to
    a demo that goes on: the demo of a production database would mix with it, and a
    fresh one would destroy it.
    """
    engine = base.store.engine
    migrations.upgrade(engine)
    with engine.begin() as connection:
        # Not their rows: those of another installation cannot be decrypted.
        names = set(connection.scalars(select(tables.Organization.name)))
        goes_on = kept.users is not None and NAME in names
        others = sorted(names - {NAME})
        if others and not goes_on:
            problem = f"DATABASE_URL: other organizations live there ({others[0]})"
            raise errors.ConfigurationError([f"{problem}; the demo needs its own"])
        if kept.users is None:
            for metadata in migrations.METADATA:
                for table in reversed(metadata.sorted_tables):
                    connection.execute(delete(table))
    base.broker.declare()


def set_up(base: Foundation, home: Home, where: Addresses) -> None:
    """Make the organization and an admin's token, or keep what is there."""
    kept, now = home.kept, base.clock.now()
    url = _api(where)
    with base.store.begin() as work:
        row = work.organizations.by_name(NAME) or work.organizations.add(
            tables.Organization(
                name=NAME,
                crm_url=url,
                crm_api_key=kept.crm_api_key,
                crm_webhook_secrets=[kept.webhook_secret],
                created_at=now,
            )
        )
        row.crm_url = url
        if row.google_client_id is None:
            organizations.set_google(
                row, kept.google_client_id, kept.google_client_secret
            )
        if kept.receiver_port not in {None, where.receiver_port}:
            _watch_anew(base, work)
        token = kept.admin_token
        if not token or not work.tokens.by_hash(signing.hash_secret(token), now=now):
            token = credentials.new_token(work, row, Role.ADMIN, now=now)
        work.commit()
    home.keep(admin_token=token, receiver_port=where.receiver_port)


def read_users(base: Foundation, kept: Kept, where: Addresses) -> None:
    """Store the users that the simulated CRM has."""
    users = organizations.read_users(_api(where), kept.crm_api_key, base.clock)
    if users is None:
        return
    with base.store.begin() as work:
        row = naming.organization(work, NAME)
        organizations.store_users(work, row, users, base.clock.now())
        work.commit()


def sign_in_address(base: Foundation) -> str:
    """Return a one-time address that signs in an admin."""
    with base.store.begin() as work:
        row = naming.organization(work, NAME)
        now = base.clock.now()
        code = credentials.new_login_code(work, row, Role.ADMIN, now=now)
        work.commit()
    return f"{base.config.public_url}/login?code={code}"


def _api(where: Addresses) -> str:
    return f"{where.crm}/api/v1"


def _watch_anew(base: Foundation, work: UnitOfWork) -> None:
    """Let the timers replace all channels: they lead to where we were before."""
    for calendar in work.calendars.active():
        for channel in work.channels.open_of(calendar.id):
            channel.renew_at = base.clock.now()
