"""Encryption at rest and derived keys."""

import pytest

from shared.adapters import crypto
from shared.domain import errors

OLD = crypto.Keys.generate()
NEW = crypto.Keys.generate()


def test_what_is_encrypted_can_be_decrypted() -> None:
    keys = crypto.Keys([NEW])

    token = keys.encrypt("geheimeGrüße \U0001f511")

    # Long enough that chance does not spell it.
    assert "geheimeGr" not in token
    assert keys.decrypt(token) == "geheimeGrüße \U0001f511"


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    by_old = crypto.Keys([OLD]).encrypt("a")
    by_both = crypto.Keys([NEW, OLD]).encrypt("b")

    assert crypto.Keys([NEW, OLD]).decrypt(by_old) == "a"
    assert crypto.Keys([NEW]).decrypt(by_both) == "b"


def test_a_rotated_secret_no_longer_needs_the_old_key() -> None:
    by_old = crypto.Keys([OLD]).encrypt("a")

    rotated = crypto.Keys([NEW, OLD]).rotate(by_old)

    assert crypto.Keys([NEW]).decrypt(rotated) == "a"


@pytest.mark.parametrize(
    "token",
    ["", "no token", crypto.Keys([OLD]).encrypt("a")],
    ids=["empty", "no token", "another key's"],
)
def test_a_secret_that_no_key_fits_names_the_variable_to_mend(token: str) -> None:
    keys = crypto.Keys([NEW])

    with pytest.raises(errors.ConfigurationError, match="SECRET_KEYS: no key"):
        keys.decrypt(token)
    with pytest.raises(crypto.UndecryptableError):
        keys.rotate(token)


@pytest.mark.parametrize(
    "bad",
    ["", "short", "x" * 44, NEW[:-2], "ключ"],
    ids=["empty", "short", "no base64", "cut off", "no ASCII"],
)
def test_a_bad_key_is_named_by_its_position_only(bad: str) -> None:
    with pytest.raises(ValueError, match="key 2 is not 32 bytes") as caught:
        crypto.Keys([NEW, bad])

    assert not bad or bad not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one key is needed"):
        crypto.Keys([])


def test_the_first_key_signs_and_all_verify() -> None:
    before = crypto.Keys([OLD]).derive("channel")
    keys = crypto.Keys([NEW, OLD])

    assert keys.derive_all("channel") == (keys.derive("channel"), before)
    assert keys.derive("channel") == crypto.Keys([NEW]).derive("channel")


def test_derived_keys_differ_by_purpose_and_tell_nothing_of_the_key() -> None:
    keys = crypto.Keys([NEW])

    channel, session = keys.derive("channel"), keys.derive("session")

    assert len(channel) == len(session) == crypto.DERIVED_BYTES
    assert len({channel, session, NEW.encode()}) == 3
