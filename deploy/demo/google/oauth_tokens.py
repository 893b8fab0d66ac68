"""The access and refresh tokens: issued, refreshed, resolved, expired and revoked."""

import secrets
import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from deploy.demo import clock
from deploy.demo.google import (
    grants,
    oauth_clients,
    oauth_codes,
    oauth_errors,
    oauth_scopes,
    oauth_store,
)

LIFETIME = timedelta(seconds=3599)
# https://developers.google.com/identity/protocols/oauth2#expiration
REFRESH_TOKENS_PER_ACCOUNT_AND_CLIENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An access token with what it carries; `refresh_token` is empty when none came."""

    access_token: str
    account: str
    client_id: str
    scopes: tuple[str, ...]
    expires_at: datetime
    refresh_token: str = ""


class Tokens:
    """All tokens; the ones that expired or were revoked are as good as unknown."""

    def __init__(self, store: oauth_store.Store, clock: clock.Clock) -> None:
        """Keep them in the store; access tokens grow old by the clock."""
        self._store = store
        self._clock = clock

    def issue(self, code: oauth_codes.Code, client: oauth_clients.Client) -> Issued:
        """Return new tokens for a redeemed code."""
        with self._store.transaction() as connection:
            issued = self._add_access_token(
                connection, code.account, client, code.scopes
            )
            if not code.offline:
                return issued
            token = _add_refresh_token(connection, code, client)
            return replace(issued, refresh_token=token)

    def refresh(
        self,
        refresh_token: str,
        client: oauth_clients.Client,
        scopes: tuple[str, ...] = (),
    ) -> Issued:
        """Return a new access token, with fewer scopes when some are named.

        Raises `OAuthError` for a dead token, or for scopes that were never granted.
        """
        with self._store.transaction() as connection:
            row = connection.execute(
                "SELECT * FROM refresh_tokens WHERE token = ? AND client_id = ?",
                (refresh_token, client.client_id),
            ).fetchone()
            if row is None:
                description = "Token has been expired or revoked."
                raise oauth_errors.invalid_grant(description)
            granted = oauth_scopes.parse(row["scopes"])
            if not set(scopes) <= set(granted):
                raise oauth_errors.OAuthError("invalid_scope", "Bad Request")
            return self._add_access_token(
                connection, row["account"], client, scopes or granted
            )

    def resolve(self, token: str) -> grants.Grant | None:
        """Return what an access token allows now, or None for a dead one."""
        issued = self.inspect(token)
        if issued is None:
            return None
        return grants.Grant(
            account=issued.account,
            scopes=frozenset(issued.scopes),
            client_id=issued.client_id,
        )

    def inspect(self, token: str) -> Issued | None:
        """Return a living access token with all that is known of it."""
        row = self._store.row(
            "SELECT * FROM access_tokens WHERE token = ? AND expires_at > ?",
            token,
            self._clock.now().timestamp(),
        )
        if row is None:
            return None
        return Issued(
            access_token=token,
            account=row["account"],
            client_id=row["client_id"],
            scopes=oauth_scopes.parse(row["scopes"]),
            expires_at=datetime.fromtimestamp(row["expires_at"], tz=UTC),
        )

    def has_refresh_token(self, account: str, client: oauth_clients.Client) -> bool:
        """Say whether this client holds a refresh token of the account."""
        row = self._store.row(
            "SELECT 1 FROM refresh_tokens WHERE account = ? AND client_id = ?",
            account,
            client.client_id,
        )
        return row is not None

    def revoke(self, token: str) -> None:
        """Withdraw the whole grant that a living access or refresh token belongs to.

        The project's other tokens for the account die with it. Raises `OAuthError`
        for a dead token.
        """
        row = self._store.row(
            "SELECT account, project FROM refresh_tokens WHERE token = ?1 "
            "UNION SELECT account, project FROM access_tokens "
            "WHERE token = ?1 AND expires_at > ?2",
            token,
            self._clock.now().timestamp(),
        )
        if row is None:
            description = "Token expired or revoked"
            raise oauth_errors.OAuthError("invalid_token", description)
        self._withdraw("account = ? AND project = ?", row["account"], row["project"])

    def revoke_account(self, account: str) -> int:
        """Withdraw all grants of an account; return how many refresh tokens died."""
        return self._withdraw("account = ?", account)

    def expire_access_tokens(self, account: str | None = None) -> int:
        """Expire one account's access tokens, or all; return how many lived."""
        now = self._clock.now().timestamp()
        with self._store.transaction() as connection:
            return connection.execute(
                "UPDATE access_tokens SET expires_at = ?1 "
                "WHERE expires_at > ?1 AND (?2 IS NULL OR account = ?2)",
                (now, account),
            ).rowcount

    def _withdraw(self, condition: str, *values: str) -> int:
        died = 0
        with self._store.transaction() as connection:
            for table in oauth_store.GRANTED:
                died = connection.execute(
                    f"DELETE FROM {table} WHERE {condition}",  # noqa: S608 -- our own text
                    values,
                ).rowcount
        return died

    def _add_access_token(
        self,
        connection: sqlite3.Connection,
        account: str,
        client: oauth_clients.Client,
        scopes: tuple[str, ...],
    ) -> Issued:
        now = self._clock.now()
        issued = Issued(
            access_token=f"ya29.{secrets.token_urlsafe(96)}",
            account=account,
            client_id=client.client_id,
            scopes=scopes,
            expires_at=now + LIFETIME,
        )
        connection.execute(
            "DELETE FROM access_tokens WHERE expires_at <= ?", (now.timestamp(),)
        )
        connection.execute(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?, ?)",
            (
                issued.access_token,
                account,
                client.client_id,
                client.project,
                " ".join(scopes),
                issued.expires_at.timestamp(),
            ),
        )
        return issued


def _add_refresh_token(
    connection: sqlite3.Connection,
    code: oauth_codes.Code,
    client: oauth_clients.Client,
) -> str:
    token = f"1//0{secrets.token_urlsafe(64)}"
    connection.execute(
        "INSERT INTO refresh_tokens (token, account, client_id, project, scopes) "
        "VALUES (?, ?, ?, ?, ?)",
        (
            token,
            code.account,
            client.client_id,
            client.project,
            " ".join(code.scopes),
        ),
    )
    connection.execute(
        "DELETE FROM refresh_tokens WHERE account = ?1 AND client_id = ?2 "
        "AND number <= (SELECT number FROM refresh_tokens "
        "WHERE account = ?1 AND client_id = ?2 ORDER BY number DESC LIMIT 1 OFFSET ?3)",
        (code.account, client.client_id, REFRESH_TOKENS_PER_ACCOUNT_AND_CLIENT),
    )
    return token
