"""The simulated Google's OAuth 2.0 server, put together.

A client is refused until it is registered with `POST /_admin/clients`, as a Cloud
project's OAuth client has to be created first.
"""

from pathlib import Path

from flask import Blueprint

from deploy.demo import clock
from deploy.demo.google import (
    oauth_accounts,
    oauth_admin,
    oauth_clients,
    oauth_codes,
    oauth_consent,
    oauth_endpoints,
    oauth_identity,
    oauth_pages,
    oauth_store,
    oauth_tokens,
)


class Server:
    """The state of the OAuth server; `tokens.resolve` serves the Calendar API."""

    def __init__(self, clock: clock.Clock, path: Path | None = None) -> None:
        """Keep the state in an SQLite file, or without a path in memory."""
        self._store = oauth_store.Store(path)
        self.clock = clock
        self.clients = oauth_clients.Clients(self._store)
        self.codes = oauth_codes.Codes(self._store, clock)
        self.tokens = oauth_tokens.Tokens(self._store, clock)
        self.signer = oauth_identity.Signer(self._store, clock)

    def forget_grants(self) -> None:
        """Drop every consent, code and token; the registered clients stay."""
        self._store.forget_grants()

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def create_blueprint(server: Server, accounts: oauth_accounts.Directory) -> Blueprint:
    """Return the consent page, the token endpoints and their admin endpoints.

    `accounts` is called on each request for the accounts that can sign in.
    """
    blueprint = Blueprint(
        "oauth",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/o/oauth2/static",
    )
    consent = oauth_consent.Consent(server.codes, server.tokens)
    oauth_pages.ConsentPages(
        clients=server.clients, consent=consent, accounts=accounts
    ).register(blueprint)
    oauth_endpoints.Endpoints(
        clients=server.clients,
        codes=server.codes,
        tokens=server.tokens,
        signer=server.signer,
        accounts=accounts,
        clock=server.clock,
    ).register(blueprint)
    oauth_admin.Admin(
        clients=server.clients,
        consent=consent,
        tokens=server.tokens,
        accounts=accounts,
    ).register(blueprint)
    return blueprint
