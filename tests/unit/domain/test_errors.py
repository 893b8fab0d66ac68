"""Errors: what they say, and the codes that histories and filters know them by."""

import pytest

from shared.domain import errors

REASONS = {
    errors.WebhookSignatureError: "webhook_signature",
    errors.BrokerConnectionError: "broker_connection",
    errors.RemoteUnavailableError: "remote_unavailable",
    errors.RateLimitError: "rate_limit",
    errors.RemoteAuthError: "remote_auth",
    errors.GrantRevokedError: "grant_revoked",
    errors.AccountGoneError: "account_gone",
    errors.AdminPolicyError: "admin_policy",
    errors.AccessRefusedError: "access_refused",
    errors.CalendarOffError: "calendar_off",
    errors.MissingScopesError: "missing_scopes",
    errors.ApiDisabledError: "api_disabled",
    errors.ClientRefusedError: "client_refused",
    errors.UsageLimitError: "usage_limit",
    errors.RecordBusyError: "record_busy",
    errors.ContendedRecordError: "contended_record",
    errors.RemoteRejectedError: "remote_rejected",
    errors.MappingError: "mapping",
    errors.MessageDecodeError: "message_decode",
    errors.SyncTokenExpiredError: "sync_token_expired",
    errors.VersionMismatchError: "version_mismatch",
    errors.RecordNotFoundError: "record_not_found",
    errors.RecordDeletedError: "record_deleted",
    errors.DuplicateRecordError: "duplicate_record",
}


@pytest.mark.parametrize(("kind", "reason"), REASONS.items())
def test_every_error_has_a_code_of_its_own(
    kind: type[errors.SyncError], reason: str
) -> None:
    assert kind().reason == reason


@pytest.mark.parametrize("kind", REASONS)
def test_an_error_without_message_explains_itself(
    kind: type[errors.SyncError],
) -> None:
    assert str(kind()) == kind.__doc__


def test_an_error_says_what_it_is_told_to() -> None:
    assert str(errors.MappingError("event abc cannot be read")) == (
        "event abc cannot be read"
    )


def test_a_class_without_docstring_is_called_by_its_name() -> None:
    class OddError(errors.SyncError):
        pass

    assert str(OddError()) == "OddError"


def test_all_problems_of_a_configuration_are_told_at_once() -> None:
    error = errors.ConfigurationError(["PUBLIC_URL is missing", "AMQP_URL is odd"])

    assert error.problems == ["PUBLIC_URL is missing", "AMQP_URL is odd"]
    assert str(error) == "PUBLIC_URL is missing; AMQP_URL is odd"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.WebhookSignatureError, 401),
        (errors.WebhookTimestampError, 401),
        (errors.WebhookPayloadError, 400),
    ],
)
def test_a_refused_webhook_has_an_answer(
    kind: type[errors.WebhookError], status: int
) -> None:
    assert kind().status == status


def test_errors_keep_what_the_remote_told() -> None:
    assert errors.RateLimitError(retry_after=30).retry_after == 30
    assert errors.VersionMismatchError(current={"id": "1"}).current == {"id": "1"}
    assert errors.DuplicateRecordError(existing_id="1").existing_id == "1"


@pytest.mark.parametrize(
    ("kind", "handling"),
    [
        (errors.RemoteAuthError, errors.RetryableError),
        (errors.GrantRevokedError, errors.RemoteAuthError),
        (errors.UsageLimitError, errors.RetryableError),
        (errors.RecordBusyError, errors.RetryableError),
        (errors.RemoteRejectedError, errors.PermanentError),
        (errors.MappingError, errors.PermanentError),
        (errors.VersionMismatchError, errors.StaleStateError),
        (errors.RecordDeletedError, errors.StaleStateError),
        (errors.TopologyError, errors.ConfigurationError),
    ],
)
def test_the_class_of_an_error_decides_what_becomes_of_it(
    kind: type[errors.SyncError], handling: type[errors.SyncError]
) -> None:
    assert issubclass(kind, handling)
