"""Why Google does not let us in for a user, and what each reason tells that user."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from shared.domain import errors

TESTING_LIFETIME = timedelta(days=7)
"""How long a grant lasts while the app's publishing status is "Testing" (fact 211)."""

_NOTICED_WITHIN = timedelta(days=1)
"""How long after its end the end of a grant may be noticed: at the next refresh."""

_CLOCKS = timedelta(hours=1)
"""How far our clock may be behind Google's."""

_FOLLOWS = "Everything that changed meanwhile follows by itself."


class Problem(StrEnum):
    """What keeps a connection from being synced, with its text for the user."""

    heading: str
    detail: str

    def __new__(cls, code: str, heading: str = "", detail: str = "") -> Self:
        """Take the code, which the API shows, a heading, and what to do."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.heading = heading
        member.detail = detail
        return member

    # the user mends it by connecting again
    REVOKED = (
        "revoked",
        "Your Google Calendar is no longer connected",
        (
            "Google has ended our access to your account: it was taken back there, or "
            f"your password or sign-in rules have changed. Connect again. {_FOLLOWS}"
        ),
    )
    TESTING_EXPIRED = (
        "testing_expired",
        "Your Google Calendar has to be connected every week",
        (
            "Google ends the access after seven days while your organization's Google "
            'app is in "Testing". Connect again, and ask an administrator of the CRM '
            "to publish the app in the Google Cloud console, so that this does not "
            f"happen every week. {_FOLLOWS}"
        ),
    )
    ACCOUNT_GONE = (
        "account_gone",
        "Your Google account is deleted or disabled",
        (
            "Google says that the connected account does not exist any more, or is "
            "disabled. Restore it, or connect another account."
        ),
    )
    ADMIN_POLICY = (
        "admin_policy",
        "Your Google administrator does not allow the connection",
        (
            "The Google Workspace administrator of your account blocks this app. Ask "
            f"them to allow it, then connect again. {_FOLLOWS}"
        ),
    )
    MISSING_SCOPES = (
        "missing_scopes",
        "Your Google Calendar needs one more permission",
        (
            "Google was not allowed enough. Connect again and leave every box ticked. "
            f"{_FOLLOWS}"
        ),
    )

    # the user mends it by choosing another calendar
    CALENDAR_MISSING = (
        "calendar_missing",
        "Your Google Calendar cannot be found any more",
        (
            "The calendar that was synced is gone from your Google account. Choose "
            "another one, or connect again."
        ),
    )

    # the user begins when they like
    NOT_STARTED = (
        "not_started",
        "Your meetings are not synced yet",
        "Look at what the first sync would do, then start it.",
    )

    # it goes on by itself, once somebody else has mended it
    API_DISABLED = (
        "api_disabled",
        "The sync with Google Calendar is paused",
        (
            "The Google Calendar API is switched off in your organization's Google "
            "project. An administrator of the CRM has to enable it in the Google Cloud "
            f"console; you need not do anything. {_FOLLOWS}"
        ),
    )
    CLIENT_REFUSED = (
        "client_refused",
        "The sync with Google Calendar is paused",
        (
            "Google does not accept the client id and secret of your organization. An "
            "administrator of the CRM has to correct them. If they have set up another "
            f"Google app, connect again; else you need not do anything. {_FOLLOWS}"
        ),
    )
    CALENDAR_OFF = (
        "calendar_off",
        "Google Calendar is switched off for your account",
        (
            "Your Google account has no Google Calendar at present. Your Google "
            "Workspace administrator can switch it on, or connect another account. "
            f"{_FOLLOWS}"
        ),
    )
    ACCESS_REFUSED = (
        "access_refused",
        "Google does not let us into your calendar at present",
        f"We try again every few minutes. If this lasts, connect again. {_FOLLOWS}",
    )

    @property
    def is_of_app(self) -> bool:
        """Tell whether it is the organization's Google app that has the problem."""
        return self in {Problem.API_DISABLED, Problem.CLIENT_REFUSED}


def problem_of(
    error: errors.RemoteAuthError, *, consented_at: datetime | None, now: datetime
) -> Problem:
    """Return what a refusal of Google's says about a connection.

    `consented_at` is when its user last consented: only the age of a grant tells the
    end of one of an app in "Testing" from others (failure F42).
    """
    match error:
        case errors.AccountGoneError():
            return Problem.ACCOUNT_GONE
        case errors.GrantRevokedError():
            is_week_old = consented_at is not None and _is_week_old(now - consented_at)
            return Problem.TESTING_EXPIRED if is_week_old else Problem.REVOKED
        case _:
            return _PROBLEMS.get(type(error), Problem.ACCESS_REFUSED)


def _is_week_old(age: timedelta) -> bool:
    earliest = TESTING_LIFETIME - _CLOCKS
    return earliest <= age <= TESTING_LIFETIME + _NOTICED_WITHIN


_PROBLEMS: dict[type[errors.RemoteAuthError], Problem] = {
    errors.AdminPolicyError: Problem.ADMIN_POLICY,
    errors.MissingScopesError: Problem.MISSING_SCOPES,
    errors.CalendarMissingError: Problem.CALENDAR_MISSING,
    errors.ApiDisabledError: Problem.API_DISABLED,
    errors.ClientRefusedError: Problem.CLIENT_REFUSED,
    errors.CalendarOffError: Problem.CALENDAR_OFF,
}
