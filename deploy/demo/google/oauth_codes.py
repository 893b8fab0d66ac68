"""What people consented to, and the authorization codes that carry it to the client."""

import base64
import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import timedelta

from deploy.demo import clock
from deploy.demo.google import oauth_clients, oauth_errors, oauth_scopes, oauth_store

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The client's half of PKCE (RFC 7636); `value` is empty when it sent none."""

    value: str = ""
    method: str = "plain"

    def check(self, verifier: str) -> None:
        """Raise `OAuthError` unless the verifier answers the challenge."""
        if not self.value:
            if verifier:
                description = "code_verifier or verifier is not needed."
                raise oauth_errors.invalid_grant(description)
            return
        if not verifier:
            description = "Missing code verifier."
            raise oauth_errors.invalid_grant(description)
        if not secrets.compare_digest(self._answer(verifier), self.value.encode()):
            description = "Invalid code verifier."
            raise oauth_errors.invalid_grant(description)

    def _answer(self, verifier: str) -> bytes:
        if self.method == "plain":
            return verifier.encode()
        digest = hashlib.sha256(verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a code stands for; `offline` asks for a refresh token beside it."""

    account: str
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: Challenge
    nonce: str
    offline: bool


class Codes:
    """The consents, and the codes that were issued for them."""

    def __init__(self, store: oauth_store.Store, clock: clock.Clock) -> None:
        """Keep them in the store; codes grow old by the clock."""
        self._store = store
        self._clock = clock

    def consented(self, account: str, client: oauth_clients.Client) -> tuple[str, ...]:
        """Return the scopes this account has granted to the client's project."""
        row = self._store.row(
            "SELECT scopes FROM consents WHERE account = ? AND project = ?",
            account,
            client.project,
        )
        return oauth_scopes.parse(row["scopes"]) if row else ()

    def issue(self, code: Code, client: oauth_clients.Client) -> str:
        """Remember the consent and return a new code for it."""
        granted = oauth_scopes.unique(
            (*self.consented(code.account, client), *code.scopes)
        )
        text = f"4/0A{secrets.token_urlsafe(48)}"
        values = (
            text,
            code.account,
            client.client_id,
            client.project,
            code.redirect_uri,
            " ".join(code.scopes),
            code.nonce,
            code.challenge.value,
            code.challenge.method,
            code.offline,
            (self._clock.now() + LIFETIME).timestamp(),
        )
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO consents VALUES (?, ?, ?)",
                (code.account, client.project, " ".join(granted)),
            )
            connection.execute(
                f"INSERT INTO codes VALUES ({', '.join('?' * len(values))})",  # noqa: S608 -- only question marks
                values,
            )
        return text

    def redeem(
        self, text: str, *, client_id: str, redirect_uri: str, verifier: str
    ) -> Code:
        """Return what the code stands for; it is used up, even when this raises.

        Raises `OAuthError` for a code that is unknown, used, too old, another client's
        or redirect address's, or whose PKCE challenge the verifier does not answer.
        """
        with self._store.transaction() as connection:
            row = connection.execute(
                "DELETE FROM codes WHERE code = ? RETURNING *", (text,)
            ).fetchone()
        if row is None:
            description = "Malformed auth code."
            raise oauth_errors.invalid_grant(description)
        if row["client_id"] != client_id:
            raise oauth_errors.invalid_grant("Bad Request")
        if row["expires_at"] <= self._clock.now().timestamp():
            raise oauth_errors.invalid_grant("Bad Request")
        if row["redirect_uri"] != redirect_uri:
            raise oauth_errors.OAuthError("redirect_uri_mismatch", "Bad Request")
        code = _code(row)
        code.challenge.check(verifier)
        return code


def _code(row: sqlite3.Row) -> Code:
    return Code(
        account=row["account"],
        redirect_uri=row["redirect_uri"],
        scopes=oauth_scopes.parse(row["scopes"]),
        challenge=Challenge(value=row["challenge"], method=row["challenge_method"]),
        nonce=row["nonce"],
        offline=bool(row["offline"]),
    )
