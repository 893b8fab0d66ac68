"""What to do about the situations that users meet, said next to each of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue

from shared.domain.access import Problem
from shared.domain.errors import RateLimitError, UsageLimitError
from shared.domain.reasons import Reason
from webhook_receiver.consents import Outcome
from webhook_receiver.pages.routes import EVERYBODY, PageRoutes
from webhook_receiver.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A situation; `topic` is its anchor on the page of all of them."""

    topic: str
    title: str
    happened: str
    steps: tuple[str, ...]


ACCESS_DENIED = Advice(
    topic="access-denied",
    title="Google says that access is denied",
    happened=(
        "The permission was not given on Google's page, or your Google administrator "
        "does not let you give it. Nothing was changed."
    ),
    steps=(
        "Connect again, choose the right account, and press Allow.",
        "Leave every box on Google's page ticked: all of them are needed.",
        (
            "If Google says that the app is blocked, ask your Google Workspace "
            "administrator to allow it."
        ),
    ),
)
ACCESS_REVOKED = Advice(
    topic="access-revoked",
    title="The access was revoked",
    happened=(
        "Google has ended our access: somebody took it back in the account's security "
        "settings, the password changed, or sign-in rules did."
    ),
    steps=(
        (
            "Connect the same account again. Nothing is created twice, and what "
            "changed meanwhile follows by itself."
        ),
        (
            "If it happens every week, an administrator of the CRM has to publish the "
            "Google app: it is still in testing."
        ),
    ),
)
NOT_APPEARING = Advice(
    topic="events-not-appearing",
    title="Events do not appear",
    happened=(
        "A meeting is on one side and not on the other. Most often it is of a kind "
        "that is not synced, or the sync is paused."
    ),
    steps=(
        "Open My calendar: its first sentence says whether your meetings are synced.",
        "Check the task: it needs a due date, a type that is synced, and you as owner.",
        (
            "Check the event: private and declined events, birthdays and working "
            "locations are left alone, and whole days unless your organization wants "
            "them."
        ),
        "Press Sync now. The sync then says of every record why it came out as it did.",
    ),
)
DUPLICATES = Advice(
    topic="duplicate-events",
    title="Events appear twice",
    happened=(
        "Two events look the same. Often another tool, or a calendar subscription, "
        "copies the same meetings."
    ),
    steps=(
        "Switch off every other sync between your CRM and Google Calendar.",
        (
            "In Google Calendar, look at which calendar each of the two is on: a "
            "calendar that is only subscribed to can be hidden."
        ),
        (
            "Ask an administrator to open Orphans and duplicates: it finds what can "
            "be told apart and repairs it, without mail to anybody."
        ),
    ),
)
WRONG_CALENDAR = Advice(
    topic="wrong-calendar",
    title="Meetings are on the wrong calendar",
    happened="Another calendar, or another Google account, is synced than you meant.",
    steps=(
        (
            "On My calendar, choose another calendar. The page counts what moves "
            "before anything does, and nobody gets mail."
        ),
        (
            "If your calendar is not in the list, you may not write to it: ask its "
            "owner for the right to make changes."
        ),
        "If it belongs to another account, connect that account instead.",
    ),
)
RATE_LIMIT = Advice(
    topic="rate-limit-exceeded",
    title="A rate limit is exceeded",
    happened=(
        "Google or the CRM has had more requests than it takes in so short a time. "
        "Nothing is lost: what waits is tried again by itself."
    ),
    steps=(
        "Wait some minutes. The history shows when the next attempt is.",
        (
            "If it lasts for hours, ask an administrator whether another program uses "
            "the same Google project."
        ),
    ),
)
CALENDAR_MISSING = Advice(
    topic="calendar-missing",
    title="The calendar is gone",
    happened="The calendar that was synced is deleted, or no longer shared with you.",
    steps=(
        "Choose another calendar on My calendar.",
        "If it was deleted by mistake, restore it in Google and connect again.",
    ),
)
APP_STOPPED = Advice(
    topic="google-app",
    title="The organization's Google app does not work",
    happened=(
        "Google does not accept the app's client id and secret, or its project has the "
        "Calendar API switched off."
    ),
    steps=(
        "An administrator of the CRM opens Setup and follows what it says.",
        "Nobody else has to do anything: the sync goes on by itself.",
    ),
)
WAITING_FOR_CHOICE = Advice(
    topic="conflicts",
    title="Both sides were edited",
    happened=(
        "A meeting was changed in the CRM and in Google Calendar before either side "
        "knew of the other. Both stay as they are until somebody chooses."
    ),
    steps=("Open My conflicts, compare the two, and choose which one to keep.",),
)
READ_ONLY = Advice(
    topic="read-only-events",
    title="An event cannot be changed",
    happened=(
        "Somebody else organizes the event and does not let its guests change it. So "
        "the task follows the event, and edits of the task are undone."
    ),
    steps=("Ask the organizer to change the event, or to let guests modify it.",),
)

EVERY: tuple[Advice, ...] = (
    ACCESS_DENIED,
    ACCESS_REVOKED,
    NOT_APPEARING,
    DUPLICATES,
    WRONG_CALENDAR,
    RATE_LIMIT,
    CALENDAR_MISSING,
    APP_STOPPED,
    WAITING_FOR_CHOICE,
    READ_ONLY,
)

_OF_PROBLEM: Mapping[str, Advice] = {
    Problem.REVOKED: ACCESS_REVOKED,
    Problem.TESTING_EXPIRED: ACCESS_REVOKED,
    Problem.ACCOUNT_GONE: ACCESS_REVOKED,
    Problem.ADMIN_POLICY: ACCESS_DENIED,
    Problem.MISSING_SCOPES: ACCESS_DENIED,
    Problem.ACCESS_REFUSED: ACCESS_DENIED,
    Problem.CALENDAR_OFF: ACCESS_DENIED,
    Problem.CALENDAR_MISSING: CALENDAR_MISSING,
    Problem.API_DISABLED: APP_STOPPED,
    Problem.CLIENT_REFUSED: APP_STOPPED,
}
_OF_NOTICE: Mapping[str, Advice] = {
    Outcome.DENIED: ACCESS_DENIED,
    Outcome.MISSING_SCOPES: ACCESS_DENIED,
}
_OF_REASON: Mapping[str, Advice] = {
    Reason.OWNER_MUST_RECONNECT: ACCESS_REVOKED,
    "grant_revoked": ACCESS_REVOKED,
    "account_gone": ACCESS_REVOKED,
    "admin_policy": ACCESS_DENIED,
    "missing_scopes": ACCESS_DENIED,
    "access_refused": ACCESS_DENIED,
    "calendar_off": ACCESS_DENIED,
    "calendar_missing": CALENDAR_MISSING,
    "api_disabled": APP_STOPPED,
    "client_refused": APP_STOPPED,
    RateLimitError().reason: RATE_LIMIT,
    UsageLimitError().reason: RATE_LIMIT,
    Reason.GUESTS_HELD_BACK: RATE_LIMIT,
    "budget_spent": RATE_LIMIT,
    "duplicate_record": DUPLICATES,
    Reason.NOT_SELECTED: WRONG_CALENDAR,
    Reason.CONFLICT_FLAGGED: WAITING_FOR_CHOICE,
    Reason.READ_ONLY_EVENT: READ_ONLY,
    Reason.TYPE_SWITCHED_OFF: NOT_APPEARING,
    Reason.NO_DUE_DATE: NOT_APPEARING,
    Reason.ALL_DAY_SWITCHED_OFF: NOT_APPEARING,
    Reason.OWNER_NOT_CONNECTED: NOT_APPEARING,
    Reason.IMPORT_SWITCHED_OFF: NOT_APPEARING,
    Reason.PRIVATE_EVENT: NOT_APPEARING,
    Reason.EVENT_TYPE: NOT_APPEARING,
    Reason.DECLINED: NOT_APPEARING,
    Reason.ANOTHER_COPY_LEADS: NOT_APPEARING,
}


def of_problem(code: str | None) -> Advice | None:
    """Return what to do about what keeps a connection from being synced."""
    return _OF_PROBLEM.get(code or "")


def of_notice(code: str | None) -> Advice | None:
    """Return what to do about a consent that did not end well."""
    return _OF_NOTICE.get(code or "")


def of_reason(code: str) -> Advice | None:
    """Return what to do about the way in which a record came out."""
    return _OF_REASON.get(code)


class Help:
    """The page of all situations."""

    def __init__(self, services: Services) -> None:
        """Need nothing of the services."""
        del services

    def register(self, routes: PageRoutes) -> None:
        """Add the page."""
        routes.show("/help", self.troubleshooting, roles=EVERYBODY)

    def troubleshooting(self) -> ResponseReturnValue:
        """List every situation with what to do."""
        return render_template("help.html", every=EVERY)
