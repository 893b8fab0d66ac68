"""Standard Webhooks, checked against the library of those who wrote the standard."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks

from shared.domain import errors, signing

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = signing.new_secret(b"s" * 24)
OTHER = signing.new_secret(b"o" * 32)
BODY = '{"type": "task.updated", "title": "Znüni ☕"}'.encode()


def signed(
    body: bytes = BODY, *, secret: str = SECRET, at: datetime = NOW
) -> dict[str, str]:
    """Return the headers that the standard's own library makes."""
    signature = standardwebhooks.Webhook(secret).sign("msg_1", at, body.decode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def verify(
    headers: dict[str, str],
    body: bytes = BODY,
    *,
    secrets: tuple[str, ...] = (SECRET,),
    now: datetime = NOW,
) -> str:
    """Verify a delivery."""
    return signing.verify_webhook(body, headers, secrets=secrets, now=now)


# -- what is right ----------------------------------------------------------------


def test_what_the_standards_library_signs_is_accepted() -> None:
    assert verify(signed()) == "msg_1"


def test_what_we_sign_is_accepted_by_the_standards_library() -> None:
    headers = signing.sign_webhook(
        BODY, delivery_id="msg_1", secrets=[SECRET], now=datetime.now(UTC)
    )

    accepted = standardwebhooks.Webhook(SECRET).verify(BODY.decode(), headers)

    assert accepted["title"] == "Znüni ☕"


def test_we_sign_as_the_standards_library_does() -> None:
    headers = signing.sign_webhook(BODY, delivery_id="msg_1", secrets=[SECRET], now=NOW)

    assert headers == signed()


def test_names_of_headers_come_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed().items()}

    assert verify(headers) == "msg_1"


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_either_secret_is_good_while_one_is_rotated(secret: str) -> None:
    assert verify(signed(secret=secret), secrets=(SECRET, OTHER)) == "msg_1"


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_a_sender_that_rotates_signs_with_every_secret(secret: str) -> None:
    headers = signing.sign_webhook(
        BODY, delivery_id="msg_1", secrets=[SECRET, OTHER], now=NOW
    )

    assert verify(headers, secrets=(secret,)) == "msg_1"


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_clocks_may_differ_by_five_minutes(seconds: int) -> None:
    headers = signed(at=NOW + timedelta(seconds=seconds))

    assert verify(headers) == "msg_1"


def test_a_body_may_be_any_bytes() -> None:
    body = b"\xff\x00"
    headers = signing.sign_webhook(body, delivery_id="x", secrets=[SECRET], now=NOW)

    assert verify(headers, body) == "x"


def test_signatures_of_other_kinds_are_passed_over() -> None:
    headers = signed()
    headers["webhook-signature"] = f"v1a,abc {headers['webhook-signature']} v2,x"

    assert verify(headers) == "msg_1"


# -- one way to be wrong each -----------------------------------------------------


@pytest.mark.parametrize(
    "name", ["webhook-id", "webhook-timestamp", "webhook-signature"]
)
def test_a_header_that_is_missing_is_refused(name: str) -> None:
    headers = signed()
    del headers[name]

    with pytest.raises(errors.WebhookSignatureError, match="missing"):
        verify(headers)


@pytest.mark.parametrize(
    "name", ["webhook-id", "webhook-timestamp", "webhook-signature"]
)
def test_a_header_that_is_empty_is_refused(name: str) -> None:
    with pytest.raises(errors.WebhookSignatureError, match="missing"):
        verify(signed() | {name: ""})


def test_a_body_that_was_changed_is_refused() -> None:
    with pytest.raises(errors.WebhookSignatureError):
        verify(signed(), BODY + b" ")


def test_a_body_that_means_the_same_json_is_refused() -> None:
    with pytest.raises(errors.WebhookSignatureError):
        verify(signed(), BODY.replace(b": ", b":"))


def test_another_delivery_id_is_refused() -> None:
    with pytest.raises(errors.WebhookSignatureError):
        verify(signed() | {"webhook-id": "msg_2"})


def test_another_timestamp_is_refused() -> None:
    later = str(int(NOW.timestamp()) + 1)

    with pytest.raises(errors.WebhookSignatureError):
        verify(signed() | {"webhook-timestamp": later})


def test_another_secret_is_refused() -> None:
    with pytest.raises(errors.WebhookSignatureError):
        verify(signed(secret=OTHER))


def test_a_secret_that_was_taken_away_is_refused() -> None:
    with pytest.raises(errors.WebhookSignatureError):
        verify(signed(), secrets=())


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.removeprefix("v1,"),
        lambda s: s.replace("v1,", "v2,"),
        lambda s: s[:-2],
        lambda s: s.swapcase(),
        lambda _: "v1,",
        lambda _: "v1,\xe9",
    ],
    ids=["bare", "version", "short", "case", "nothing", "not ascii"],
)
def test_a_signature_that_was_changed_is_refused(change: object) -> None:
    headers = signed()
    assert callable(change)
    headers["webhook-signature"] = change(headers["webhook-signature"])

    with pytest.raises(errors.WebhookSignatureError):
        verify(headers)


@pytest.mark.parametrize("seconds", [-3600, -301, 301, 3600])
def test_a_delivery_from_another_time_is_refused(seconds: int) -> None:
    headers = signed(at=NOW + timedelta(seconds=seconds))

    with pytest.raises(errors.WebhookTimestampError):
        verify(headers)


@pytest.mark.parametrize("written", ["noon", "1.5", "2026-03-02T12:00:00Z", "9" * 400])
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(written: str) -> None:
    with pytest.raises(errors.WebhookTimestampError):
        verify(signed() | {"webhook-timestamp": written})


# -- secrets ----------------------------------------------------------------------


def test_a_new_secret_has_the_standards_form() -> None:
    secret = signing.new_secret(b"k" * 32)

    assert secret.startswith("whsec_")
    assert signing.secret_key(secret) == b"k" * 32


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_***",
        "whsec_abc",
        "whsec_\u00e9\u00e9\u00e9\u00e9",
        base64.b64encode(b"s" * 24).decode(),
        "WHSEC_c3Nzc3Nz",
    ],
)
def test_a_malformed_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="must be whsec_ followed by base64") as error:
        signing.secret_key(secret)

    assert len(secret) < 7 or secret not in str(error.value)


def test_a_stored_secret_cannot_be_read() -> None:
    stored = signing.hash_secret("token")

    assert stored == signing.hash_secret("token") != signing.hash_secret("Token")
    assert "token" not in stored


def test_a_rotated_secret_leaves_the_one_before_and_no_older_one() -> None:
    assert signing.rotated(["b", "a"], "c") == ["c", "b"]
    assert signing.rotated(["b", "a"], "a") == ["a", "b"]
