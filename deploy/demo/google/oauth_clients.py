"""The OAuth clients of Google Cloud projects, as registered by their developers."""

import json
from dataclasses import dataclass

from deploy.demo.google import oauth_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client; `refusal` is an error its project's settings lead to."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    name: str = ""
    refusal: str = ""

    @property
    def project(self) -> str:
        """The Cloud project: the number before the dash of a Google client id."""
        return self.client_id.partition("-")[0]

    @property
    def title(self) -> str:
        """What the consent page calls the app."""
        return self.name or self.client_id


class Clients:
    """All registered clients."""

    def __init__(self, store: oauth_store.Store) -> None:
        """Keep them in the store."""
        self._store = store

    def register(self, client: Client) -> None:
        """Add a client, or replace the one of that id."""
        values = (
            client.client_id,
            client.client_secret,
            json.dumps(client.redirect_uris),
            client.name,
            client.refusal,
        )
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO clients VALUES (?, ?, ?, ?, ?)", values
            )

    def find(self, client_id: str) -> Client | None:
        """Return the client of that id, if it is registered."""
        row = self._store.row("SELECT * FROM clients WHERE client_id = ?", client_id)
        if row is None:
            return None
        return Client(
            client_id=row["client_id"],
            client_secret=row["client_secret"],
            redirect_uris=tuple(json.loads(row["redirect_uris"])),
            name=row["name"],
            refusal=row["refusal"],
        )
