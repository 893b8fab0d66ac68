"""`calendar-sync keys`: the keys that encrypt what is stored, replaced."""

from dataclasses import asdict, dataclass
from datetime import datetime

import click

from deploy.cli import foundation, output, readiness
from deploy.cli.foundation import Foundation
from shared.adapters.store import Survey
from shared.domain import signing
from webhook_receiver import sessions


@click.group("keys", short_help="Replace the keys that encrypt secrets.")
def command() -> None:
    """Replace the keys that encrypt secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """How far the replacement of the keys has come."""

    rotated: int
    secrets: Survey
    channels: int
    """How many live watch channels have a token of an old key."""
    channels_until: datetime | None
    sessions_until: datetime | None
    """Until when a session, or a page that is open, may be signed by an old key."""
    old_keys: int

    @property
    def is_removable(self) -> bool:
        """Tell whether nothing is refused when the old keys are gone."""
        needs_old = self.secrets.behind or self.channels or self.sessions_until
        return self.old_keys > 0 and not needs_old

    @property
    def removable_at(self) -> datetime | None:
        """When nothing but secrets can need an old key any more."""
        ends = (self.channels_until, self.sessions_until)
        return max((end for end in ends if end), default=None)

    def to_document(self) -> dict[str, object]:
        return {
            "secrets": self.secrets.values,
            "reencrypted": self.rotated,
            "secrets_of_old_keys": self.secrets.behind,
            "unreadable": [asdict(place) for place in self.secrets.unreadable],
            "channels_of_old_keys": self.channels,
            "channels_until": self.channels_until,
            "sessions_until": self.sessions_until,
            "old_keys": self.old_keys,
            "removable": self.is_removable,
            "removable_at": self.removable_at,
        }


@command.command("rotate")
@output.json_option
def rotate(*, as_json: bool) -> None:
    """Encrypt all stored secrets with the first of SECRET_KEYS.

    \b
    To replace a key:
    1. Append a new key to SECRET_KEYS, and restart all processes. (Where all of
       them are stopped before one starts again, begin with step 2.)
    2. Put the new key first, and restart all processes.
    3. Run this command, and again later, until it says that the old key can go.
    4. Remove the old key, and restart all processes.

    A new key is made by: openssl rand -base64 32 | tr +/ -_

    In embedded mode without SECRET_KEYS the old key is in the file secret-key
    beside the database.

    Nothing is refused meanwhile. Watch channels that the old key signed are replaced by
    workers, which must run; sessions and open pages that it signed last for twelve
    hours. It can be interrupted and run again at any time.

    Exits with 1 when no key decrypts a secret.
    """
    with foundation.opened() as base:
        readiness.require_schema(base)
        try:
            report = _rotate(base)
        except KeyboardInterrupt:
            message = "interrupted; the same command does the rest"
            raise click.ClickException(message) from None
    if as_json:
        output.show_json(report.to_document())
    else:
        _show(report)
    for place in report.secrets.unreadable:
        told = f"No key decrypts {place.column} of {place.table} {place.row}"
        click.echo(told, err=True)
    if report.secrets.unreadable:
        remedy = (
            "Add the key that they had to SECRET_KEYS, or replace them: those of "
            "organizations by `calendar-sync org update`, those of connections by "
            "connecting again"
        )
        click.echo(remedy, err=True)
        raise click.exceptions.Exit(1)


def _rotate(base: Foundation) -> _Report:
    rotated = base.store.rotate_secrets()
    secrets = base.store.survey_secrets()
    now = base.clock.now()
    mark = signing.channel_mark(base.keys.derive(signing.CHANNEL_TOKEN_PURPOSE))
    with base.store.begin() as work:
        channels, channels_until = work.channels.without_mark(mark, now=now)
        work.channels.replace_soon(mark, now=now)
        work.commit()
    old_keys = len(base.keys) - 1
    return _Report(
        rotated=rotated,
        secrets=secrets,
        channels=channels,
        channels_until=channels_until,
        sessions_until=_sessions_until(secrets, now) if old_keys else None,
        old_keys=old_keys,
    )


def _sessions_until(secrets: Survey, now: datetime) -> datetime | None:
    """Return until when a session may last that an old key signed, if any may.

    Every organization has secrets. When the last of them was encrypted with the first
    key, all processes had it; what was signed before ends with its session.
    """
    since = secrets.last_encrypted.get("organizations")
    until = since + sessions.LONGEST if since else None
    return until if until and until > now else None


def _show(report: _Report) -> None:
    click.echo(
        f"{report.rotated} of {report.secrets.values} secrets were encrypted anew."
    )
    if report.secrets.behind:
        click.echo(f"An old key has just encrypted {report.secrets.behind} more.")
    if report.channels:
        click.echo(
            f"Watch channels of an old key: {report.channels}. Workers replace them "
            f"now; the last would end at {_at(report.channels_until)}."
        )
    if report.sessions_until:
        click.echo(
            "Sessions and pages of people may be signed by an old key until "
            f"{_at(report.sessions_until)}."
        )
    click.echo(_conclusion(report))


def _conclusion(report: _Report) -> str:
    if report.old_keys == 0:
        return "SECRET_KEYS has no old key."
    if report.is_removable:
        return "All keys but the first can be removed from SECRET_KEYS now."
    if report.secrets.behind:
        return (
            "The old keys must stay: see that all processes were restarted with the "
            "new key first, and run this again."
        )
    return (
        "The old keys must stay in SECRET_KEYS for now: run this again; at "
        f"{_at(report.removable_at)} they can go at the latest."
    )


def _at(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else "-"
