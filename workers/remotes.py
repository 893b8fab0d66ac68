"""The outside worlds that workers read and write, by whose account they are entered."""

from typing import Protocol

from shared.adapters.store import tables
from shared.domain import ports


class Remotes(Protocol):
    """Where to find the Google account of a connection and an organization's CRM."""

    def google(self, connection: tables.Connection) -> ports.GoogleCalendar:
        """Return the calendars of a connection's Google account.

        Raises `GrantRevokedError` when the connection holds no tokens.
        """
        ...

    def revoke(self, connection: tables.Connection) -> None:
        """Have Google end a connection's grant; raises what keeps it from doing so."""
        ...

    def crm(self, organization: tables.Organization) -> ports.Crm:
        """Return the CRM of an organization."""
        ...
