"""The tokens of watch channels: checked by arithmetic, without a database."""

import pytest

from shared.domain import signing

KEY, OLD_KEY = b"k" * 32, b"o" * 32


def test_the_token_of_a_channel_is_recognised() -> None:
    token = signing.channel_token(KEY, "channel-1")

    assert signing.is_channel_token([KEY], "channel-1", token)


def test_a_token_made_before_the_keys_were_rotated_is_recognised() -> None:
    token = signing.channel_token(OLD_KEY, "channel-1")

    assert signing.is_channel_token([KEY, OLD_KEY], "channel-1", token)


def test_a_token_fits_into_what_google_echoes() -> None:
    token = signing.channel_token(KEY, "c" * 64)

    assert len(token) <= 256
    assert token.isascii()


@pytest.mark.parametrize("token", ["", "guess", "\xe9", "\u2615"])
def test_any_other_token_is_not(token: str) -> None:
    assert not signing.is_channel_token([KEY], "channel-1", token)


def test_the_token_of_another_channel_is_not() -> None:
    token = signing.channel_token(KEY, "channel-2")

    assert not signing.is_channel_token([KEY], "channel-1", token)


def test_a_token_made_with_a_key_that_was_taken_away_is_not() -> None:
    token = signing.channel_token(OLD_KEY, "channel-1")

    assert not signing.is_channel_token([KEY], "channel-1", token)
    assert not signing.is_channel_token([], "channel-1", token)


def test_the_id_of_a_channel_tells_which_key_signs_its_token() -> None:
    channel_id = signing.channel_id(KEY, b"r" * 24)

    assert channel_id.endswith(signing.channel_mark(KEY))
    assert not channel_id.endswith(signing.channel_mark(OLD_KEY))
    assert len(channel_id) <= 64
