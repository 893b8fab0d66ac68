"""Watch channels: opened ahead of time, stored before Google is asked, then replaced.

A channel cannot be renewed, only followed by another one (fact 148). The new one is
open before the old one is stopped, so that no change falls between them.
"""

import hashlib
import logging
import secrets
from datetime import datetime, timedelta

from shared.adapters.store import tables
from shared.adapters.store.states import ChannelState, ConnectionState
from shared.domain import errors, signing
from shared.domain.settings import Frequency, Settings
from workers import parking
from workers.services import Services

log = logging.getLogger(__name__)

TTL = timedelta(days=7)
"""What we ask for; Google may grant less (fact 147)."""


class Watching:
    """Keeps one open channel on each calendar that is synced in real time."""

    def __init__(self, services: Services, parked: parking.Parking) -> None:
        """Take the accounts, and the key that signs the tokens of channels."""
        self._store = services.store
        self._remotes = services.remotes
        self._clock = services.clock
        self._key = services.channel_key
        self._parking = parked

    def ensure(self, calendar_id: int) -> None:
        """Open a channel, unless there is one that need not be replaced yet."""
        now = self._clock.now()
        with self._store.read() as work:
            open_ones = work.channels.open_of(calendar_id)
        if not any(c.renew_at is not None and c.renew_at > now for c in open_ones):
            self.replace(calendar_id)

    def renew(self, calendar_id: int, *, wished_at: datetime) -> None:
        """Replace the channels that were open when that was wished for."""
        with self._store.read() as work:
            open_ones = work.channels.open_of(calendar_id)
        if not any(channel.created_at >= wished_at for channel in open_ones):
            self.replace(calendar_id)

    def replace(self, calendar_id: int) -> None:
        """Open a channel, then stop those that were open before."""
        with self._store.try_lock(f"watch:{calendar_id}") as held:
            if not held:
                return
            with self._store.read() as work:
                calendar = work.calendars.by_id(calendar_id)
                connection = work.connections.by_id(calendar.connection_id)
                former = work.channels.open_of(calendar_id)
            if connection.state != ConnectionState.ACTIVE or not calendar.is_selected:
                for channel in former:
                    # It is stopped when it notifies.
                    self._set_state(channel.id, ChannelState.CLOSED)
                return
            with self._parking.instead_of_failing(connection):
                is_wanted = self._is_followed(connection)
                if not is_wanted or self._open(connection, calendar):
                    for channel in former:
                        self._stop(connection, channel)

    def _is_followed(self, connection: tables.Connection) -> bool:
        """Tell whether changes are acted on at once, which is what channels are for."""
        with self._store.read() as work:
            organization = work.organizations.by_id(connection.organization_id)
        frequency = Settings.from_document(organization.settings).frequency
        return frequency is Frequency.REALTIME

    def stop_stray(self, channel: tables.Channel, resource_id: str) -> None:
        """Stop a channel that still notifies us though it is no longer in use."""
        with self._store.read() as work:
            calendar = work.calendars.by_id(channel.calendar_id)
            connection = work.connections.by_id(calendar.connection_id)
        channel.resource_id = channel.resource_id or resource_id
        if connection.google_sub != calendar.google_sub:
            return  # Only who opened it can stop it (fact 166); it will expire.
        try:
            self._stop(connection, channel)
        except errors.SyncError as error:
            log.info("Could not stop channel %s: %s", channel.id, error)

    def _open(self, connection: tables.Connection, calendar: tables.Calendar) -> bool:
        now = self._clock.now()
        channel_id = signing.channel_id(self._key, secrets.token_bytes(24))
        with self._store.begin() as work:
            # Its first notification may be here before the answer (fact 154).
            work.channels.add(
                tables.Channel(
                    id=channel_id,
                    calendar_id=calendar.id,
                    state=ChannelState.OPENING,
                    created_at=now,
                )
            )
            work.commit()
        try:
            grant = self._remotes.google(connection).watch(
                calendar.google_calendar_id,
                channel_id=channel_id,
                token=signing.channel_token(self._key, channel_id),
                ttl=TTL,
            )
        except errors.RemoteRejectedError as error:
            # Some calendars cannot be watched (fact 164): polls find their changes.
            log.warning("Calendar %s is polled only: %s", calendar.id, error)
            self._note_refusal(calendar.id, channel_id)
            return False
        with self._store.begin() as work:
            channel = work.channels.by_id(channel_id)
            channel.state = ChannelState.OPEN
            channel.resource_id = grant.resource_id
            channel.expires_at = grant.expires_at
            channel.renew_at = _renew_at(channel_id, now, grant.expires_at)
            work.calendars.by_id(calendar.id).watch_refused = False
            work.commit()
        return True

    def _note_refusal(self, calendar_id: int, channel_id: str) -> None:
        with self._store.begin() as work:
            work.channels.by_id(channel_id).state = ChannelState.CLOSED
            work.calendars.by_id(calendar_id).watch_refused = True
            work.commit()

    def _stop(self, connection: tables.Connection, channel: tables.Channel) -> None:
        self._set_state(channel.id, ChannelState.CLOSING)
        if channel.resource_id is not None:
            google = self._remotes.google(connection)
            google.stop_channel(channel.id, channel.resource_id)
        self._set_state(channel.id, ChannelState.CLOSED)

    def _set_state(self, channel_id: str, state: ChannelState) -> None:
        with self._store.begin() as work:
            work.channels.by_id(channel_id).state = state
            work.commit()


def _renew_at(channel_id: str, opened_at: datetime, expires_at: datetime) -> datetime:
    """Return half of its life, somewhat earlier by chance: not all come at once."""
    chance = hashlib.sha256(channel_id.encode()).digest()[0] / 255
    return opened_at + (expires_at - opened_at) * (0.5 - 0.1 * chance)
