"""What can go wrong, by what the worker does next.

The class of an error decides its handling (`workers.consumer`); its message names the
record and the side, never a secret or the text of a meeting.
"""

from http import HTTPStatus


class SyncError(Exception):
    """The synchronisation failed."""

    def __init__(self, message: str = "") -> None:
        """Use the class docstring where the raiser has nothing to add."""
        super().__init__(message or type(self).__doc__ or type(self).__name__)

    @property
    def reason(self) -> str:
        """A stable code for histories and filters: `RateLimitError` -> `rate_limit`."""
        return _code(type(self))


class ConfigurationError(SyncError):
    """The configuration is not usable; `problems` lists every reason at once."""

    def __init__(self, problems: list[str]) -> None:
        """Take one sentence per problem, each starting with the variable's name."""
        self.problems = problems
        super().__init__("; ".join(problems))


class WebhookError(SyncError):
    """A webhook is refused with `status`; nothing is queued."""

    status = HTTPStatus.BAD_REQUEST


class WebhookSignatureError(WebhookError):
    """The signature does not match any of the secrets."""

    status = HTTPStatus.UNAUTHORIZED


class WebhookTimestampError(WebhookError):
    """The timestamp is more than five minutes off."""

    status = HTTPStatus.UNAUTHORIZED


class WebhookPayloadError(WebhookError):
    """The body is not a valid event."""


class BrokerConnectionError(SyncError):
    """The broker did not take or confirm the message."""


class TopologyError(ConfigurationError):
    """A queue or exchange exists with other properties than ours."""


# -- the consumer schedules a later attempt ---------------------------------------


class RetryableError(SyncError):
    """Trying again later may succeed; `retry_after` is the remote's wish in seconds."""

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        """Keep what `Retry-After` said, if anything."""
        self.retry_after = retry_after
        super().__init__(message)


class RemoteUnavailableError(RetryableError):
    """The remote timed out, could not be reached, or answered 5xx."""


class RateLimitError(RetryableError):
    """The remote asks for fewer requests (429, or 403 with a usage limit)."""


class RemoteAuthError(RetryableError):
    """The remote does not let this account in (401).

    A revoked grant parks the account's work; the others may be mended meanwhile.
    """


class GrantRevokedError(RemoteAuthError):
    """Google answered `invalid_grant`: the user must connect again."""


class AccountGoneError(GrantRevokedError):
    """Google says that the account is deleted or disabled."""


class AdminPolicyError(RemoteAuthError):
    """The administrator of the Google account does not allow the app."""


class AccessRefusedError(RemoteAuthError):
    """Google refuses a token that it has given just now (401, fact 249)."""


class CalendarOffError(RemoteAuthError):
    """The Google account has no Google Calendar (403 notACalendarUser, fact 165)."""


class MissingScopesError(RemoteAuthError):
    """The user did not grant a scope that is needed (403 insufficientPermissions)."""


class CalendarMissingError(RemoteAuthError):
    """The calendar that is synced is not there any more (404)."""


class ApiDisabledError(RemoteAuthError):
    """The Calendar API is not enabled for the Google project."""


class ClientRefusedError(RemoteAuthError):
    """Google does not accept the client id and secret of the organization."""


class UsageLimitError(RetryableError):
    """Google's abuse limit (403 quotaExceeded, fact 182) is reached; it lasts hours."""


class BudgetSpentError(RetryableError):
    """What Google lets this account ask for in a minute is spent; it goes on soon."""


class RecordBusyError(RetryableError):
    """Another worker has this record in hand."""


class ContendedRecordError(RetryableError):
    """The record changed under us three times in a row."""


# -- the consumer dead-letters ----------------------------------------------------


class PermanentError(SyncError):
    """Trying the same again cannot succeed."""


class RemoteRejectedError(PermanentError):
    """Google or the CRM refuses this request (400, 403 for this record, 422)."""


class MappingError(PermanentError):
    """A record of the CRM or of Google has a value that cannot be mapped."""


class MessageDecodeError(PermanentError):
    """A message in the queue cannot be read."""


# -- handled where they happen, never reach the consumer --------------------------


class StaleStateError(SyncError):
    """What we knew of the remote is no longer so."""


class SyncTokenExpiredError(StaleStateError):
    """Google no longer knows the sync token (410 fullSyncRequired): list in full."""


class VersionMismatchError(StaleStateError):
    """The record moved on since we read it (412).

    `current` is the record as it is now where the remote told us, else None.
    """

    def __init__(
        self, message: str = "", *, current: dict[str, object] | None = None
    ) -> None:
        """Keep the current record if the answer carried it."""
        self.current = current
        super().__init__(message)


class RecordNotFoundError(StaleStateError):
    """The record, or the calendar it lives in, is not there (404)."""


class RecordDeletedError(StaleStateError):
    """The record is deleted (410)."""


class DuplicateRecordError(StaleStateError):
    """The identifier is taken (409); `existing_id` names the holder if told."""

    def __init__(self, message: str = "", *, existing_id: str | None = None) -> None:
        """Keep the id of the record that holds the identifier."""
        self.existing_id = existing_id
        super().__init__(message)


def explain(code: str) -> str:
    """Return the sentence that stands for an error's `reason`; empty if unknown."""
    return _sentences(SyncError).get(code, "")


def _sentences(error: type[SyncError]) -> dict[str, str]:
    found = {_code(error): (error.__doc__ or "").partition("\n")[0]}
    for kind in error.__subclasses__():
        found |= _sentences(kind)
    return found


def _code(error: type[SyncError]) -> str:
    name = error.__name__.removesuffix("Error")
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
