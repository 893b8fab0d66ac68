"""What the workers do about each refusal of Google's: every reason that is known.

The answer goes through the real adapter, the error that it makes of it to a worker.
The reasons are those of the facts sheet: 8, 19-22, 28, 58, 79, 125, 161-167, 179-189
and 209-227, and some of older pages.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.store.states import Outcome
from shared.domain import errors, ports
from shared.domain.messages import Queue, Trigger, WatchDue
from tests import google_oauth_stub, google_stub, stub_server
from tests.unit.workers.machinery import Database, Outside
from tests.unit.workers.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What there is after the first attempt.

    `delay` is until the next one, `problem` what the connection is parked for.
    """

    outcome: Outcome = Outcome.FAILED
    delay: timedelta | None = None
    dead_letters: int = 0
    problem: str | None = None


GOES_ON = Reaction(outcome=Outcome.APPLIED)
"""Read, decided and written anew, at once."""
IS_DONE = Reaction(outcome=Outcome.UNCHANGED)
"""Decided anew, and found to be so already."""
LATER = Reaction(delay=timedelta(seconds=10))
HOURLY = Reaction(delay=timedelta(hours=1))
FOR_GOOD = Reaction(dead_letters=1)
"""The record alone: its connection goes on."""


def parked(problem: str) -> Reaction:
    """Return the reaction that stops the work of the connection."""
    return Reaction(outcome=Outcome.HELD, problem=problem)


class Google:
    """Google's answers, and the adapter that reads them."""

    def __init__(
        self, stub: stub_server.StubServer, account: ports.GoogleCalendar
    ) -> None:
        """Take the server that answers, and an account that asks it."""
        self._stub = stub
        self._account = account

    def refusal(self, status: int, reason: str) -> errors.SyncError:
        """Return what the adapter makes of an answer; newer reasons are capitals."""
        body = google_stub.detailed if reason.isupper() else google_stub.envelope
        self._stub.answer(body(status, reason), status=status)
        return refused_by(self._account)


Row = tuple[str, int, str, Reaction]

WRITES: list[Row] = [
    ("patch_event", 400, "invalid", FOR_GOOD),
    ("patch_event", 400, "required", FOR_GOOD),
    ("patch_event", 400, "badRequest", FOR_GOOD),
    ("patch_event", 400, "parseError", FOR_GOOD),
    ("patch_event", 422, "invalid", FOR_GOOD),
    ("patch_event", 403, "forbidden", FOR_GOOD),
    ("patch_event", 403, "forbiddenForNonOrganizer", FOR_GOOD),
    ("patch_event", 403, "requiredAccessLevel", FOR_GOOD),
    ("patch_event", 403, "userRateLimitExceeded", LATER),
    ("patch_event", 403, "rateLimitExceeded", LATER),
    ("patch_event", 403, "RATE_LIMIT_EXCEEDED", LATER),
    ("patch_event", 429, "rateLimitExceeded", LATER),
    ("patch_event", 403, "quotaExceeded", HOURLY),
    ("patch_event", 403, "calendarUsageLimitsExceeded", HOURLY),
    ("patch_event", 403, "dailyLimitExceeded", HOURLY),
    ("patch_event", 403, "variableTermLimitExceeded", HOURLY),
    ("patch_event", 403, "insufficientPermissions", parked("missing_scopes")),
    ("patch_event", 403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", parked("missing_scopes")),
    ("patch_event", 403, "accessNotConfigured", parked("api_disabled")),
    ("patch_event", 403, "SERVICE_DISABLED", parked("api_disabled")),
    ("patch_event", 403, "notACalendarUser", parked("calendar_off")),
    ("patch_event", 403, "somethingNew", LATER),
    ("patch_event", 404, "notFound", GOES_ON),
    ("patch_event", 409, "conflict", LATER),
    ("patch_event", 410, "deleted", GOES_ON),
    ("patch_event", 412, "conditionNotMet", GOES_ON),
    ("insert_event", 409, "duplicate", GOES_ON),
    ("insert_event", 404, "notFound", parked("calendar_missing")),
    ("delete_event", 404, "notFound", IS_DONE),
    ("delete_event", 410, "deleted", GOES_ON),
    ("delete_event", 412, "conditionNotMet", GOES_ON),
]
LISTS: list[Row] = [
    ("list_events", 400, "timeRangeEmpty", FOR_GOOD),
    ("list_events", 400, "syncTokenWithRequestRestrictions", FOR_GOOD),
    ("list_events", 403, "forbidden", FOR_GOOD),
]
REFRESHES: list[tuple[int, dict[str, Any], Reaction]] = [
    (400, {"error": "invalid_grant"}, parked("revoked")),
    (
        400,
        {
            "error": "invalid_grant",
            "error_description": "Token has been expired or revoked.",
        },
        parked("revoked"),
    ),
    (
        400,
        {"error": "invalid_grant", "error_description": "Account has been deleted"},
        parked("account_gone"),
    ),
    (
        400,
        {"error": "invalid_grant", "error_subtype": "invalid_rapt"},
        parked("revoked"),
    ),
    (400, {"error": "admin_policy_enforced"}, parked("admin_policy")),
    (400, {"error": "org_internal"}, parked("admin_policy")),
    (401, {"error": "invalid_client"}, parked("client_refused")),
    (401, {"error": "unauthorized_client"}, parked("client_refused")),
    (401, {"error": "deleted_client"}, parked("client_refused")),
    (401, {"error": "disabled_client"}, parked("client_refused")),
    (400, {"error": "invalid_scope"}, LATER),
    (400, {"error": "invalid_request"}, LATER),
    (429, {"error": "rate_limit_exceeded"}, LATER),
    (500, {"error": "internal_failure"}, LATER),
    (503, {}, LATER),
]


@pytest.mark.parametrize(("call", "status", "reason", "reaction"), WRITES)
def test_each_refused_write_has_its_reaction(
    world: World,
    google: Google,
    call: str,
    status: int,
    reason: str,
    reaction: Reaction,
) -> None:
    task = world.add_task()
    if call != "insert_event":
        world.settle()
    world.ann.fail_next(google.refusal(status, reason), on=call)

    if call == "patch_event":
        world.edit_task(task["id"], title="Plan B")
    if call == "delete_event":
        world.edit_task(task["id"], status="cancelled")
    world.settle()

    assert seen(world) == reaction


@pytest.mark.parametrize(("call", "status", "reason", "reaction"), LISTS)
def test_each_refused_list_has_its_reaction(
    world: World,
    google: Google,
    call: str,
    status: int,
    reason: str,
    reaction: Reaction,
) -> None:
    world.ann.fail_next(google.refusal(status, reason), on=call)

    world.calendar_changed()
    world.settle()

    assert seen(world) == reaction


def test_a_list_of_a_calendar_that_is_not_there_parks_the_connection(
    world: World,
    google: Google,
) -> None:
    error = google.refusal(404, "notFound")
    world.ann.fail_next(error, on="list_events")

    world.calendar_changed()
    world.settle()

    assert world.connection().problem == "calendar_missing"
    assert world.dead_letters() == []


@pytest.mark.parametrize("reason", ["fullSyncRequired", "updatedMinTooLongAgo"])
def test_a_sync_token_that_is_refused_has_everything_listed_anew(
    world: World,
    google: Google,
    reason: str,
) -> None:
    world.ann.fail_next(google.refusal(410, reason), on="list_events")

    world.add_event()
    world.settle()

    assert world.only_task()["title"] == "Lunch"
    assert world.jobs()[-1].trigger == Trigger.REPAIR


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "pushNotSupportedForRequestedResource"),
        (400, "push.webhookUrlNotHttps"),
        (401, "push.webhookUrlUnauthorized"),
        (400, "channelIdNotUnique"),
    ],
)
def test_a_calendar_that_cannot_be_watched_is_polled(
    world: World,
    stub: stub_server.StubServer,
    status: int,
    reason: str,
) -> None:
    stub.answer(google_stub.envelope(status, reason), status=status)
    if status == 401:
        stub.answer({"access_token": google_oauth_stub.NEW, "expires_in": 3599})
        stub.answer(google_stub.envelope(status, reason), status=status)
    error = refused_by(account(stub, timedelta(hours=1)))
    world.ann.fail_next(error, on="watch")
    world.pass_time()

    world.queue(Queue.BACKFILL, WatchDue(calendar_id=world.calendar().id))
    world.settle()

    assert world.calendar().watch_refused
    assert world.connection().state == "active"
    assert world.dead_letters() == []


@pytest.mark.parametrize(("status", "body", "reaction"), REFRESHES)
def test_each_refused_refresh_has_its_reaction(
    world: World,
    stub: stub_server.StubServer,
    status: int,
    body: dict[str, Any],
    reaction: Reaction,
) -> None:
    stub.answer(body, status=status)
    world.ann.fail_next(refused_by(account(stub, -timedelta(hours=1))))

    world.add_task()
    world.settle()

    assert seen(world) == reaction


def test_a_token_that_is_refused_though_it_is_new_parks_the_connection(
    world: World, stub: stub_server.StubServer
) -> None:
    stub.answer(google_stub.envelope(401, "authError"), status=401)
    stub.answer({"access_token": google_oauth_stub.NEW, "expires_in": 3599})
    stub.answer(google_stub.envelope(401, "authError"), status=401)
    world.ann.fail_next(refused_by(account(stub, timedelta(hours=1))))

    world.add_task()
    world.settle()

    # One refresh, one more try: no loop (fact 249).
    assert len(stub.received) == 3
    assert seen(world) == parked("access_refused")


# -- how it is looked at ----------------------------------------------------------


def seen(world: World) -> Reaction:
    """Return how the workers reacted."""
    item, connection = world.last_item(), world.connection()
    assert (connection.state == "active") == (connection.problem is None)
    then = item.next_attempt_at
    return Reaction(
        outcome=Outcome(item.outcome),
        delay=then - item.at if then else None,
        dead_letters=len(world.dead_letters()),
        problem=connection.problem,
    )


def account(stub: stub_server.StubServer, lifetime: timedelta) -> ports.GoogleCalendar:
    """Return an account whose access token has that long to live."""
    credentials = google_oauth_stub.at(stub.url).credentials(
        google_oauth_stub.CLIENT,
        google_oauth_stub.stored(datetime.now(UTC) + lifetime),
        on_refresh=lambda _: None,
    )
    return google_oauth_stub.api(stub.url).account(credentials)


def refused_by(asking: ports.GoogleCalendar) -> errors.SyncError:
    """Return the error of a write."""
    with pytest.raises(errors.SyncError) as refused:
        asking.patch_event("c", "e1", {}, etag=None, send_updates="none")
    return refused.value


@pytest.fixture
def google(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> Google:
    """Return what stands in for Google."""
    return Google(stub, google_account)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return the database that all tests use, one after the other."""
    made = Database(tmp_path_factory.mktemp("reactions"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def connected(database: Database) -> Outside:
    """Connect Ann once; the store is kept as `connected`."""
    world = World(database.begin_anew(), Outside.empty())
    world.connect("ann")
    database.keep("connected")
    return world.outside


@pytest.fixture
def world(database: Database, connected: Outside) -> World:
    """Return a world in which Ann is connected."""
    return World(database.begin_anew("connected"), copy.deepcopy(connected))
