"""What the settings page says about each choice, in plain words."""

from dataclasses import dataclass

from shared.domain.settings import ConflictPolicy, Frequency, GuestNotifications
from webhook_receiver.pages.consequences import FREQUENCIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of several to choose from, and what choosing it brings about."""

    value: str
    title: str
    text: str
    is_recommended: bool = False


def _frequency(value: Frequency, text: str) -> Option:
    return Option(value=value, title=FREQUENCIES[value], text=text)


FREQUENCY = (
    _frequency(
        Frequency.REALTIME, "A change on either side arrives within a few seconds."
    ),
    _frequency(
        Frequency.QUARTER_HOURLY, "Changes of both sides wait up to a quarter hour."
    ),
    _frequency(Frequency.HOURLY, "Changes of both sides wait up to an hour."),
    _frequency(
        Frequency.MANUAL, "Nothing is synced until somebody presses “Sync now”."
    ),
)
CONFLICT_POLICY = (
    Option(
        value=ConflictPolicy.LAST_MODIFIED_WINS,
        title="Last modified wins",
        text="The later edit stays, whichever side it was made on.",
        is_recommended=True,
    ),
    Option(
        value=ConflictPolicy.CRM_WINS,
        title="The CRM wins",
        text="The edit in Google Calendar is overwritten by that of the CRM.",
    ),
    Option(
        value=ConflictPolicy.GOOGLE_WINS,
        title="Google Calendar wins",
        text="The edit in the CRM is overwritten by that of Google Calendar.",
    ),
    Option(
        value=ConflictPolicy.MANUAL,
        title="The user decides",
        text="Both stay as they are until the user has chosen; the CRM tells the user.",
    ),
)
GUEST_NOTIFICATIONS = (
    Option(
        value=GuestNotifications.NONE,
        title="Nobody",
        text="Guests see changes in their calendars, and get no mail.",
    ),
    Option(
        value=GuestNotifications.EXTERNAL,
        title="Guests without Google Calendar",
        text="Only those get mail who would not hear of a change otherwise.",
    ),
    Option(
        value=GuestNotifications.ALL,
        title="All guests",
        text="Every edit in the CRM sends mail to all guests of the meeting.",
    ),
)
