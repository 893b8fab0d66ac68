"""What the pages say, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.adapters.store.states import ConnectionState
from shared.domain.access import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A heading and what it means for the reader."""

    title: str
    body: str
    is_good: bool = False


OUTCOMES: Mapping[str, Text] = {
    "connected": Text(
        title="Your Google Calendar is connected",
        body="Your meetings are being brought in step now. You can close this page.",
        is_good=True,
    ),
    "not_started": Text(
        title="Your Google Calendar is connected",
        body=f"Nothing is synced yet. {Problem.NOT_STARTED.detail}",
        is_good=True,
    ),
    "missing_scopes": Text(
        title="Google was not allowed enough",
        body=(
            "One of the boxes on Google's page was not ticked. "
            "All of them are needed to keep your meetings in step. "
            "Connect again and leave every box ticked."
        ),
    ),
    "denied": Text(
        title="Your Google Calendar is not connected",
        body=(
            "You did not allow the access on Google's page, so nothing was changed. "
            "You can connect again at any time."
        ),
    ),
    "app_verified": Text(
        title="Google accepts your organization's app",
        body="Users can connect their Google Calendars now. You can close this page.",
        is_good=True,
    ),
    "app_denied": Text(
        title="The Google app is not connected",
        body=(
            "The access was not allowed on Google's page, so nothing was changed. "
            "You can connect again at any time."
        ),
    ),
}
"""By `consents.Outcome`."""

STATES: Mapping[str, str] = {
    ConnectionState.ACTIVE: "Your meetings are kept in step with Google Calendar.",
    ConnectionState.NEEDS_REAUTHORIZATION: Problem.REVOKED.detail,
    ConnectionState.MISSING_SCOPES: Problem.MISSING_SCOPES.detail,
    ConnectionState.CALENDAR_MISSING: Problem.CALENDAR_MISSING.detail,
    ConnectionState.PAUSED: "The sync of your meetings is paused.",
    ConnectionState.DISCONNECTED: "Your Google Calendar is not connected.",
}
"""By `ConnectionState`, where no `domain.access.Problem` says more."""

LEAVING = (
    "The events that came from the CRM are being removed from your calendar. Your "
    "Google account is disconnected after that."
)
NO_CONNECTION = STATES[ConnectionState.DISCONNECTED]
NO_USER = "You are not signed in as a user of the CRM, so there is nothing to connect."
