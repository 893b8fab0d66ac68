"""What keeps Google from letting us in: each in its own words, and how it ends."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import GoogleAppState, Outcome
from shared.domain import errors, messages
from shared.domain.access import Problem
from shared.domain.reasons import Reason
from tests.unit.workers.machinery import PUBLIC_URL
from tests.unit.workers.world import World
from workers import probing

REFUSALS = [
    (errors.GrantRevokedError(), "needs_reauthorization", "revoked", "reauthorize"),
    (errors.AccountGoneError(), "needs_reauthorization", "account_gone", "reauthorize"),
    (errors.AdminPolicyError(), "needs_reauthorization", "admin_policy", "reauthorize"),
    (errors.MissingScopesError(), "missing_scopes", "missing_scopes", "missing_scopes"),
    (errors.ApiDisabledError(), "paused", "api_disabled", "paused"),
    (errors.ClientRefusedError(), "paused", "client_refused", "paused"),
    (errors.CalendarOffError(), "paused", "calendar_off", "paused"),
    (errors.AccessRefusedError(), "paused", "access_refused", "paused"),
]
PAUSING = [error for error, state, _, _ in REFUSALS if state == "paused"]


@pytest.mark.parametrize(("refusal", "state", "problem", "key"), REFUSALS)
def test_each_refusal_parks_the_work_and_tells_the_user_why(
    world: World, refusal: Exception, state: str, problem: str, key: str
) -> None:
    world.refusals["ann"] = refusal

    world.add_task()
    world.settle()

    connection = world.connection()
    assert (connection.state, connection.problem) == (state, problem)
    told = world.crm_side.notifications["ann", f"{key}:{connection.id}"]
    assert (told.title, told.body) == (
        Problem(problem).heading,
        Problem(problem).detail,
    )
    assert told.link == f"{PUBLIC_URL}/me"
    item = world.last_item()
    assert (item.outcome, item.reason) == (Outcome.HELD, Reason.OWNER_MUST_RECONNECT)
    assert world.dead_letters() == []


@pytest.mark.parametrize(("refusal", "state", "problem", "key"), REFUSALS)
def test_each_refusal_is_told_once(
    world: World, refusal: Exception, state: str, problem: str, key: str
) -> None:
    del state, problem, key
    world.refusals["ann"] = refusal

    for _ in range(3):
        world.add_task()
        world.calendar_changed()
        world.settle()
        world.poll()

    assert world.crm_side.calls.count("notify") == 1


@pytest.mark.parametrize(
    ("age", "problem"),
    [
        (timedelta(days=6), "revoked"),
        (timedelta(days=6, hours=23, minutes=30), "testing_expired"),
        (timedelta(days=7, minutes=50), "testing_expired"),
        (timedelta(days=8, minutes=1), "revoked"),
    ],
)
def test_the_end_of_a_grant_after_a_week_is_laid_to_an_app_in_testing(
    world: World, age: timedelta, problem: str
) -> None:
    world.change_connection(consented_at=world.clock.now() - age)
    world.refusals["ann"] = errors.GrantRevokedError()

    world.add_task()
    world.settle()

    connection = world.connection()
    assert connection.problem == problem
    told = world.crm_side.notifications["ann", f"reauthorize:{connection.id}"]
    assert ("seven days" in told.body) == (problem == "testing_expired")


def test_another_problem_is_told_again(world: World) -> None:
    world.refusals["ann"] = errors.ClientRefusedError()
    world.add_task()
    world.settle()
    world.refusals["ann"] = errors.GrantRevokedError()

    probe(world)

    connection = world.connection()
    state = (connection.state, connection.problem)
    assert state == ("needs_reauthorization", "revoked")
    assert world.crm_side.calls.count("notify") == 2


def test_what_waits_for_its_user_is_not_paused_by_an_outage_of_the_app(
    world: World,
) -> None:
    world.refusals["ann"] = errors.GrantRevokedError()
    world.add_task()
    world.settle()

    world.dispatcher._sync._parking.park(  # noqa: SLF001 - as a worker that is late
        world.connection(), errors.ApiDisabledError()
    )

    assert world.connection().problem == "revoked"


# -- the admins -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (errors.ClientRefusedError(), GoogleAppState.REFUSED),
        (errors.ApiDisabledError(), GoogleAppState.API_DISABLED),
    ],
)
def test_admins_see_what_is_wrong_with_their_app(
    world: World, refusal: Exception, state: GoogleAppState
) -> None:
    world.refusals["ann"] = refusal
    world.add_task()
    world.settle()
    assert app_state(world) == state

    world.refusals.clear()
    probe(world)

    assert app_state(world) == GoogleAppState.VERIFIED


def test_a_consent_does_not_hide_that_the_api_is_still_switched_off(
    world: World,
) -> None:
    world.refusals["ann"] = errors.ApiDisabledError()
    world.add_task()
    world.settle()
    with world.store.begin() as work:
        row = work.organizations.by_id(world.organization.id)
        row.google_app_state = GoogleAppState.VERIFIED
        work.commit()

    probe(world)

    assert app_state(world) == GoogleAppState.API_DISABLED
    assert world.crm_side.calls.count("notify") == 1


def test_a_user_that_has_no_calendar_is_not_the_fault_of_the_app(world: World) -> None:
    world.refusals["ann"] = errors.CalendarOffError()

    world.add_task()
    world.settle()

    assert app_state(world) == GoogleAppState.UNCHECKED


# -- going on ---------------------------------------------------------------------


@pytest.mark.parametrize("refusal", PAUSING)
def test_a_paused_connection_goes_on_by_itself_and_doubles_nothing(
    world: World, refusal: Exception
) -> None:
    tasks = {name: world.add_task(title=name)["id"] for name in ("A", "B", "C")}
    world.settle()
    events = {event["summary"]: event["id"] for event in world.ann.live_events()}
    world.refusals["ann"] = refusal
    world.edit_task(tasks["A"], title="A edited")
    world.edit_event(events["B"], summary="B edited")
    world.remove_event(events["C"])
    world.add_task(title="New in the CRM")
    world.add_event(summary="New in Google")
    world.settle()
    world.refusals.clear()

    probe(world)

    connection = world.connection()
    assert (connection.state, connection.problem) == ("active", None)
    there = ["A edited", "B edited", "New in Google", "New in the CRM"]
    assert sorted(event["summary"] for event in world.ann.live_events()) == there
    open_ones = [t for t in world.crm_side.live_tasks() if t["status"] == "open"]
    assert sorted(task["title"] for task in open_ones) == there
    assert len(world.channels()) == 1
    assert world.dead_letters() == []


def test_what_goes_on_by_itself_sends_no_mail(world: World) -> None:
    world.settings(guest_notifications="all")
    world.refusals["ann"] = errors.ApiDisabledError()
    world.add_task(attendees=[{"email": "carl@x.example"}])
    world.settle()
    world.refusals.clear()

    probe(world)

    assert world.ann.sent_updates == ["none"]


def test_google_is_asked_every_few_minutes_and_no_more(world: World) -> None:
    world.refusals["ann"] = errors.ClientRefusedError()
    world.add_task()
    world.settle()
    world.refusals.clear()
    world.ann.fail_next(*[errors.ClientRefusedError()] * 2)
    world.forget_calls()

    for _ in range(12 * 60):
        world.pass_time()
        world.periodic.round()
        world.settle()

    assert world.ann.calls == ["list_events"] * 2
    assert world.connection().state == "paused"


def test_one_connection_is_tried_in_place_of_all(world: World) -> None:
    pause_both(world)
    world.forget_calls()

    world.pass_time(probing.INTERVAL)
    world.periodic.round()
    world.settle()

    assert len(world.ann.calls + world.ben.calls) == 1


def test_each_is_tried_in_its_turn(world: World) -> None:
    pause_both(world)
    world.forget_calls()

    for _ in range(4):
        world.pass_time(probing.INTERVAL)
        world.periodic.round()
        world.settle()

    assert (len(world.ann.calls), len(world.ben.calls)) == (2, 2)


def test_once_one_gets_in_the_others_are_tried_at_once(world: World) -> None:
    pause_both(world)
    world.ann.work_again()
    world.ben.work_again()

    probe(world)

    assert world.connection("ann").state == "active"
    assert world.connection("ben").state == "active"


def test_one_that_stays_out_does_not_keep_the_others_out(world: World) -> None:
    pause_both(world)
    world.ben.work_again()

    for _ in range(2):
        probe(world)

    assert world.connection("ann").state == "paused"
    assert world.connection("ben").state == "active"
    assert world.crm_side.calls.count("notify") == 2


def test_two_processes_try_once(world: World) -> None:
    pause_both(world)
    world.pass_time(probing.INTERVAL)

    for _ in range(2):
        world.periodic.round()

    kinds = [type(message.subject) for message in world.broker.waiting()]
    assert kinds.count(messages.AccessDue) == 1


def test_an_outage_while_google_is_asked_says_nothing(world: World) -> None:
    world.refusals["ann"] = errors.ApiDisabledError()
    world.add_task()
    world.settle()
    world.refusals["ann"] = errors.RemoteUnavailableError()

    probe(world)

    assert world.connection().problem == "api_disabled"
    assert world.broker.waiting() == []


def test_a_calendar_that_is_gone_by_then_is_told(world: World) -> None:
    world.refusals["ann"] = errors.ApiDisabledError()
    world.add_task()
    world.settle()
    world.refusals.clear()
    world.ann.drop_calendar("ann@gmail.com")

    probe(world)

    connection = world.connection()
    assert (connection.state, connection.problem) == ("calendar_missing",) * 2


def test_a_user_who_connects_again_meanwhile_is_left_alone(world: World) -> None:
    world.refusals["ann"] = errors.ClientRefusedError()
    world.add_task()
    world.settle()
    world.refusals.clear()
    world.ann.after_next("list_events", world.reconnect)
    before = len(world.jobs())

    probe(world)

    repairs = [job for job in world.jobs()[before:] if job.trigger == "repair"]
    assert len(repairs) == 1


def test_whoever_is_paused_by_wish_is_not_tried(world: World) -> None:
    world.change_connection(state="paused")

    probe(world)

    assert world.connection().state == "paused"
    assert world.ann.calls == []


def test_a_sync_that_was_lost_after_the_pause_is_begun_anyway(world: World) -> None:
    world.refusals["ann"] = errors.ApiDisabledError()
    world.add_task()
    world.settle()
    world.refusals.clear()
    world.ann.after_next("list_events", lambda: setattr(world.broker, "is_away", True))
    with pytest.raises(errors.BrokerConnectionError):
        probe(world)
    world.broker.is_away = False

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    assert world.only_event()["summary"] == "Plan"


# -- what is said again and again above -------------------------------------------


def probe(world: World) -> None:
    """Let the time come at which a paused connection is tried."""
    world.pass_time(probing.INTERVAL)
    world.periodic.round()
    world.settle()


def pause_both(world: World) -> None:
    """Have Google refuse the app to Ann and Ben."""
    for name in ("ann", "ben"):
        world.accounts[name].fail_next(*[errors.ClientRefusedError()] * 99)
        world.add_task(owner_id=name)
        world.settle()


def app_state(world: World) -> str:
    """Return what admins see of their Google app."""
    with world.store.read() as work:
        return work.organizations.by_id(world.organization.id).google_app_state
