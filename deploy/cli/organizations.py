"""What an operator may say about an organization, checked all at once."""

import re
from collections.abc import Mapping
from datetime import datetime

import click
import pydantic

from shared import config
from shared.adapters.crm import CrmClient
from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, CrmState, GoogleAppState
from shared.domain import errors, model, ports, signing
from shared.domain.settings import Settings

Values = Mapping[str, str | None]
"""What was given, by column of the table."""

_NAME = re.compile(r"[a-z0-9-]{1,63}")
_URL = pydantic.TypeAdapter[str](config.RootUrl)
_PATIENCE_SECONDS = 5


def check_name(name: str) -> list[str]:
    """Return what is wrong with the name of an organization."""
    if _NAME.fullmatch(name):
        return []
    return ["NAME: must be 1 to 63 characters of a-z, 0-9 and -"]


def check_url(url: str | None) -> list[str]:
    """Return what is wrong with the address of a CRM."""
    try:
        if url is not None:
            _URL.validate_python(url)
    except pydantic.ValidationError as error:
        text = error.errors()[0]["msg"].removeprefix("Value error, ")
        return [f"--crm-url: {text}"]
    return []


def check_secret(secret: str | None, option: str) -> list[str]:
    """Return what is wrong with a webhook secret."""
    try:
        if secret is not None:
            signing.secret_key(secret)
    except ValueError as error:
        return [f"{option}: {error}"]
    return []


def check_present(values: Values) -> list[str]:
    """Return which options were given without a value."""
    return [
        f"--{name.replace('_', '-')}: must not be empty"
        for name, value in values.items()
        if value is not None and not value.strip()
    ]


def check_google(client_id: str | None, client_secret: str | None) -> list[str]:
    """Return what is wrong with a Google client."""
    if bool(client_id) == bool(client_secret):
        return []
    return ["--google-client-id, --google-client-secret: must be given together"]


def refuse(problems: list[str]) -> None:
    """Raise `ConfigurationError` if there are problems."""
    if problems:
        raise errors.ConfigurationError(problems)


def plain_url(url: str) -> str:
    """Return an address as it is stored."""
    return _URL.validate_python(url)


def set_google(row: tables.Organization, client_id: str, client_secret: str) -> None:
    """Set the Google client; it is unchecked until somebody consents."""
    row.google_client_id = client_id
    row.google_client_secret = client_secret
    row.google_app_state = GoogleAppState.UNCHECKED
    row.google_connected_as = None
    row.google_checked_at = None
    row.probed_at = None


def hasty_crm(url: str, api_key: str, clock: ports.Clock) -> CrmClient:
    """Return a client that does not keep whoever waits at a terminal."""
    return CrmClient(
        url, api_key, clock, timeout_seconds=_PATIENCE_SECONDS, sleep=lambda _: None
    )


def read_users(url: str, api_key: str, clock: ports.Clock) -> list[model.User] | None:
    """Return the users of a CRM; None, with a word on why, when they cannot be read."""
    try:
        return list(hasty_crm(url, api_key, clock).list_users())
    except errors.SyncError as error:
        told = f"The users of the CRM were not read: {error}; see: calendar-sync doctor"
        click.echo(told, err=True)
        return None


def store_users(
    work: UnitOfWork, row: tables.Organization, users: list[model.User], now: datetime
) -> None:
    """Store the users of an organization as its CRM lists them: it lets us in."""
    work.users.replace_all(row.id, users)
    row.users_read_at = row.crm_checked_at = now
    row.crm_state = CrmState.VERIFIED


def overview(work: UnitOfWork, row: tables.Organization) -> dict[str, object]:
    """Return what a list shows of an organization."""
    counted = work.connections.count_by_state(row.id)
    return {
        "name": row.name,
        "crm_url": row.crm_url,
        "google_app": row.google_app_state if row.google_client_id else "missing",
        "active_connections": counted.get(ConnectionState.ACTIVE, 0),
        "created_at": row.created_at,
    }


def details(
    work: UnitOfWork, row: tables.Organization, public_url: str
) -> dict[str, object]:
    """Return all that may be shown of an organization: no secret is in it."""
    return {
        **overview(work, row),
        "webhook_url": f"{public_url}/webhooks/crm/{row.name}",
        "google_client_id": row.google_client_id,
        "google_connected_as": row.google_connected_as,
        "google_checked_at": row.google_checked_at,
        "webhook_secrets": len(row.crm_webhook_secrets),
        "launch_secret": "set" if row.launch_secret else "missing",
        "users_read_at": row.users_read_at,
        "connections": work.connections.count_by_state(row.id),
        "settings": Settings.from_document(row.settings or {}).to_document(),
    }
