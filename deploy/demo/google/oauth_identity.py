"""Id tokens: who signed in, as a JWT signed with the server's own RSA key."""

import base64
import functools
import hashlib

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.demo import clock
from deploy.demo.google import oauth_accounts, oauth_scopes, oauth_store, oauth_tokens

ISSUER = "https://accounts.google.com"
_KEY_ID = "simulator"
_KEY_BITS = 2048


class Signer:
    """Signs id tokens with a key that stays the same across restarts."""

    def __init__(self, store: oauth_store.Store, clock: clock.Clock) -> None:
        """Keep the key in the store; it is made when first needed."""
        self._store = store
        self._clock = clock

    def sign(self, issued: oauth_tokens.Issued, name: str, nonce: str = "") -> str:
        """Return the id token that goes with an access token."""
        claims: dict[str, object] = {
            "iss": ISSUER,
            "azp": issued.client_id,
            "aud": issued.client_id,
            "sub": oauth_accounts.subject(issued.account),
            "at_hash": _half_hash(issued.access_token),
            "iat": int(self._clock.now().timestamp()),
            "exp": int(issued.expires_at.timestamp()),
        }
        if oauth_scopes.EMAIL in issued.scopes:
            claims |= {"email": issued.account, "email_verified": True}
        if oauth_scopes.PROFILE in issued.scopes:
            claims["name"] = name
        if nonce:
            claims["nonce"] = nonce
        return jwt.encode(
            claims, self._key, algorithm="RS256", headers={"kid": _KEY_ID}
        )

    def public_keys(self) -> dict[str, object]:
        """Return the JSON Web Key Set that verifies the id tokens."""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": _KEY_ID, "alg": "RS256", "use": "sig"}]}

    @functools.cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        with self._store.transaction() as connection:
            row = connection.execute("SELECT pem FROM signing_keys").fetchone()
            if row is None:
                pem = _new_pem()
                connection.execute("INSERT INTO signing_keys VALUES (?)", (pem,))
            else:
                pem = row["pem"]
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            message = "the stored signing key is no RSA key"
            raise TypeError(message)
        return key


def _new_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _half_hash(access_token: str) -> str:
    """Return `at_hash` (OpenID Connect Core 1.0, section 3.1.3.6)."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()
