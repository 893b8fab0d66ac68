"""Encryption at rest with keys that can be rotated, and keys derived from them."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.domain import errors

DERIVED_BYTES = 32


class UndecryptableError(errors.ConfigurationError):
    """No key fits a stored secret."""

    def __init__(self) -> None:
        """Say which variable to mend."""
        problem = "SECRET_KEYS: no key decrypts a stored secret; add the one it had"
        super().__init__([problem])


class Keys:
    """A set of Fernet keys: the first encrypts and signs, all decrypt and verify.

    To rotate, put a new key first, encrypt what is stored anew (`calendar-sync keys
    rotate`) and drop the old key; https://cryptography.io/en/latest/fernet/.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Take at least one key, each 32 bytes in URL-safe base64.

        Raises `ValueError` naming the position of the first bad key, never the key.
        """
        if not keys:
            message = "at least one key is needed"
            raise ValueError(message)
        fernets = [_fernet(i, key) for i, key in enumerate(keys, 1)]
        self._first, self._multi = fernets[0], MultiFernet(fernets)
        self._raw = tuple(base64.urlsafe_b64decode(key) for key in keys)

    @staticmethod
    def generate() -> str:
        """Return a new key."""
        return Fernet.generate_key().decode()

    def encrypt(self, text: str) -> str:
        """Return the text encrypted with the first key."""
        return self._multi.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Return the text; raises `UndecryptableError` when no key fits."""
        try:
            return self._multi.decrypt(token.encode()).decode()
        except InvalidToken:
            raise UndecryptableError from None

    def rotate(self, token: str) -> str:
        """Return the same secret, encrypted with the first key, now.

        Raises `UndecryptableError` when no key fits.
        """
        return self.encrypt(self.decrypt(token))

    def encrypted_at(self, token: str) -> datetime | None:
        """Return when the first key encrypted this; None when it did not."""
        try:
            seconds = self._first.extract_timestamp(token.encode())
        except InvalidToken:
            return None
        return datetime.fromtimestamp(seconds, UTC)

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self._raw)

    def derive(self, purpose: str) -> bytes:
        """Return the 32 bytes that sign for this purpose: the first key's."""
        return _derived(self._raw[0], purpose)

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """Return what verifies for this purpose: one per key, in their order."""
        return tuple(_derived(raw, purpose) for raw in self._raw)


def _fernet(position: int, key: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        message = f"key {position} is not 32 bytes in URL-safe base64"
        raise ValueError(message) from None


def _derived(raw: bytes, purpose: str) -> bytes:
    # RFC 5869. The key is random already, so a salt would add nothing.
    kdf = HKDF(SHA256(), length=DERIVED_BYTES, salt=None, info=purpose.encode())
    return kdf.derive(raw)
