"""`calendar-sync org`: organizations and how to reach their CRM."""

import secrets

import click

from deploy.cli import foundation, naming, organizations, output, readiness
from deploy.cli.foundation import Foundation
from shared.adapters.store import tables
from shared.adapters.store.states import CrmState
from shared.domain import errors, signing


@click.group("org", short_help="Set up organizations.")
def command() -> None:
    """Set up organizations: where their CRM is and how to get in."""


@command.command("create")
@click.argument("name")
@click.option("--crm-url", required=True, help="The CRM's API, /api/v1 included.")
@click.option("--crm-api-key", required=True, help="The key of the CRM's API.")
@click.option(
    "--crm-webhook-secret",
    required=True,
    metavar="whsec_...",
    help="What the CRM signs its webhooks with.",
)
@click.option("--launch-secret", help="What the CRM signs launch tokens with.")
@click.option("--google-client-id", help="Of the organization's Google app.")
@click.option("--google-client-secret", help="Of the organization's Google app.")
@output.json_option
def create(*, name: str, as_json: bool, **given: str | None) -> None:
    """Add an organization, and read the users of its CRM."""
    client_id, client_secret = (
        given.pop(key) for key in ("google_client_id", "google_client_secret")
    )
    organizations.refuse(
        organizations.check_name(name)
        + organizations.check_present(given)
        + organizations.check_url(given["crm_url"])
        + organizations.check_secret(
            given["crm_webhook_secret"], "--crm-webhook-secret"
        )
        + organizations.check_google(client_id, client_secret)
    )
    with foundation.opened() as base:
        readiness.require_schema(base)
        row = tables.Organization(
            name=name,
            crm_url=organizations.plain_url(given["crm_url"] or ""),
            crm_api_key=given["crm_api_key"],
            crm_webhook_secrets=[given["crm_webhook_secret"]],
            launch_secret=given["launch_secret"],
            created_at=base.clock.now(),
        )
        if client_id and client_secret:
            organizations.set_google(row, client_id, client_secret)
        _add(base, row)
        _show(base, name, as_json=as_json)


@command.command("list")
@output.json_option
def list_(*, as_json: bool) -> None:
    """List the organizations."""
    with foundation.opened() as base:
        readiness.require_schema(base)
        with base.store.read() as work:
            found = [
                organizations.overview(work, row) for row in work.organizations.all()
            ]
    if as_json:
        output.show_json(found)
        return
    headings = ("NAME", "CRM", "GOOGLE APP", "CONNECTIONS", "CREATED")
    output.show_table(headings, [list(each.values()) for each in found])


@command.command("show")
@click.argument("name")
@output.json_option
def show(*, name: str, as_json: bool) -> None:
    """Show an organization; secrets are never shown."""
    with foundation.opened() as base:
        readiness.require_schema(base)
        _show(base, name, as_json=as_json)


@command.command("update")
@click.argument("name")
@click.option("--crm-url", help="The CRM's API, /api/v1 included.")
@click.option("--crm-api-key", help="The key of the CRM's API.")
@click.option(
    "--crm-webhook-secret",
    metavar="whsec_...",
    help="Accept webhooks signed with this one only; see rotate-webhook-secret.",
)
@click.option("--launch-secret", help="What the CRM signs launch tokens with.")
@click.option("--google-client-id", help="Of the organization's Google app.")
@click.option("--google-client-secret", help="Of the organization's Google app.")
@output.json_option
def update(*, name: str, as_json: bool, **given: str | None) -> None:
    """Change what is given, leave the rest."""
    if not any(value is not None for value in given.values()):
        message = "nothing to change was given"
        raise click.UsageError(message)
    organizations.refuse(
        organizations.check_present(given)
        + organizations.check_url(given["crm_url"])
        + organizations.check_secret(
            given["crm_webhook_secret"], "--crm-webhook-secret"
        )
        + organizations.check_google(
            given["google_client_id"], given["google_client_secret"]
        )
    )
    with foundation.opened() as base:
        readiness.require_schema(base)
        _change(base, name, given)
        _show(base, name, as_json=as_json)


@command.command(
    "rotate-webhook-secret", short_help="Replace the secret that signs webhooks."
)
@click.argument("name")
@click.option(
    "--secret", metavar="whsec_...", help="The new one; by default it is made up."
)
@click.option(
    "--finish", is_flag=True, help="Accept only the newest secret from now on."
)
@click.option("--cancel", is_flag=True, help="Accept only the former secret again.")
def rotate_webhook_secret(
    *, name: str, secret: str | None, finish: bool, cancel: bool
) -> None:
    """Print a new webhook secret; the one before stays valid until --finish."""
    if sum(map(bool, (secret, finish, cancel))) > 1:
        message = "--secret, --finish and --cancel are steps of their own"
        raise click.UsageError(message)
    organizations.refuse(organizations.check_secret(secret, "--secret"))
    with foundation.opened() as base:
        readiness.require_schema(base)
        with base.store.begin() as work:
            row = naming.organization(work, name)
            is_rotating = len(row.crm_webhook_secrets) > 1
            if finish or cancel:
                kept = slice(1) if finish else slice(-1, None)
                row.crm_webhook_secrets = row.crm_webhook_secrets[kept]
            else:
                row.crm_webhook_secrets = _rotated(row, secret)
            new = row.crm_webhook_secrets[0]
            work.commit()
    if finish or cancel:
        which = "newest" if finish else "former"
        told = f"Only the {which} secret is accepted now."
        if not is_rotating:
            told = f"No secret of {name} was being rotated: the only one stays."
        click.echo(told, err=True)
        return
    click.echo(new)
    click.echo(
        "Both secrets are accepted. When the CRM signs with the new one: "
        f"calendar-sync org rotate-webhook-secret {name} --finish",
        err=True,
    )


def _rotated(row: tables.Organization, secret: str | None) -> list[str]:
    """Return the secrets with a new one first.

    Raises `ConfigurationError` when there is a new one already: a third would void the
    one that the CRM still signs with.
    """
    known = row.crm_webhook_secrets
    if secret == known[0]:
        return known
    if len(known) > 1:
        problem = (
            f"the webhook secret of {row.name} is being rotated already: first end "
            "that with --finish (the CRM signs with the new one) or --cancel"
        )
        raise errors.ConfigurationError([problem])
    new = secret or signing.new_secret(secrets.token_bytes(signing.SECRET_BYTES))
    return signing.rotated(known, new)


def _add(base: Foundation, row: tables.Organization) -> None:
    taken = errors.ConfigurationError([f"NAME: {row.name} exists already"])
    with base.store.read() as work:
        if work.organizations.by_name(row.name) is not None:
            raise taken
    users = organizations.read_users(row.crm_url, row.crm_api_key, base.clock)
    try:
        with base.store.begin() as work:
            work.organizations.add(row)
            if users is not None:
                organizations.store_users(work, row, users, base.clock.now())
            work.commit()
    except errors.RecordBusyError:
        raise taken from None


def _change(base: Foundation, name: str, given: organizations.Values) -> None:
    with base.store.read() as work:
        row = naming.organization(work, name)
    url = organizations.plain_url(given["crm_url"] or row.crm_url)
    api_key = given["crm_api_key"] or row.crm_api_key
    is_moved = (url, api_key) != (row.crm_url, row.crm_api_key)
    users = organizations.read_users(url, api_key, base.clock) if is_moved else None
    with base.store.begin() as work:
        row = naming.organization(work, name)
        row.crm_url, row.crm_api_key = url, api_key
        if is_moved:
            row.crm_state, row.crm_checked_at = CrmState.UNCHECKED, None
        if given["crm_webhook_secret"]:
            row.crm_webhook_secrets = [given["crm_webhook_secret"]]
        row.launch_secret = given["launch_secret"] or row.launch_secret
        client_id, secret = given["google_client_id"], given["google_client_secret"]
        if client_id and secret:
            organizations.set_google(row, client_id, secret)
            work.connections.probe_soon(row.id)
        if users is not None:
            organizations.store_users(work, row, users, base.clock.now())
        work.commit()


def _show(base: Foundation, name: str, *, as_json: bool) -> None:
    with base.store.read() as work:
        document = organizations.details(
            work, naming.organization(work, name), base.config.public_url
        )
    if as_json:
        output.show_json(document)
    else:
        output.show_fields(document)
