"""Both sides of a meeting were edited: the policy decides."""

from datetime import timedelta
from functools import partial

import pytest

from shared.domain import errors
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

WINNERS = [
    ("crm_wins", "CRM", Reason.CONFLICT_CRM_WINS),
    ("google_wins", "Google", Reason.CONFLICT_GOOGLE_WINS),
]


def _titles(world: World) -> set[str]:
    return {world.only_event()["summary"], world.only_task()["title"]}


@pytest.mark.parametrize(("policy", "winner", "reason"), WINNERS)
def test_a_side_that_always_wins_wins_though_it_was_edited_first(
    world: World, policy: str, winner: str, reason: Reason
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], title="CRM")
    world.edit_event(world.only_event()["id"], summary="Google")
    world.settle()

    assert _titles(world) == {winner}
    assert reason in world.reasons()


@pytest.mark.parametrize(("policy", "winner", "reason"), WINNERS)
def test_google_refuses_a_write_while_its_own_news_is_still_on_the_way(
    world: World, policy: str, winner: str, reason: Reason
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task()
    world.settle()
    world.forget_calls()

    world.pass_time()
    world.ann.edit(world.only_event()["id"], summary="Google")
    world.edit_task(task["id"], title="CRM")
    world.settle()

    assert _titles(world) == {winner}
    assert world.last_item().reason == reason
    assert world.ann.calls[:2] == ["patch_event", "get_event"]


@pytest.mark.parametrize(("policy", "winner", "reason"), WINNERS)
def test_the_crm_refuses_a_write_while_its_own_news_is_still_on_the_way(
    world: World, policy: str, winner: str, reason: Reason
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task()
    world.settle()
    world.forget_calls()

    world.pass_time()
    world.crm_side.edit(task["id"], title="CRM")
    world.edit_event(world.only_event()["id"], summary="Google")
    world.settle()

    assert _titles(world) == {winner}
    assert world.last_item().reason == reason
    assert "get_task" not in world.crm_side.calls


def test_the_side_that_was_edited_last_wins_by_default(world: World) -> None:
    first, second = world.add_task(title="One"), world.add_task(title="Two")
    world.settle()
    events = {event["summary"]: event["id"] for event in world.ann.live_events()}

    world.edit_task(first["id"], title="CRM first")
    world.edit_event(events["One"], summary="Google second")
    world.edit_event(events["Two"], summary="Google first")
    world.edit_task(second["id"], title="CRM second")
    world.settle()

    titles = sorted(event["summary"] for event in world.ann.live_events())
    assert titles == ["CRM second", "Google second"]
    assert world.crm_side.task(first["id"])["title"] == "Google second"
    assert world.crm_side.task(second["id"])["title"] == "CRM second"
    assert {Reason.CONFLICT_CRM_LATER, Reason.CONFLICT_GOOGLE_LATER} <= set(
        world.reasons()
    )


def test_an_answer_or_a_reminder_does_not_make_an_edit_the_later_one(
    world: World,
) -> None:
    guest = {"email": "guest@x.example"}
    task = world.add_task(attendees=[guest])
    world.settle()
    event_id = world.only_event()["id"]

    world.pass_time()
    world.ann.edit(event_id, summary="Google")
    world.calendar_changed()
    world.crm_side.fail_next(errors.RemoteUnavailableError(), on="update_task")
    world.settle()
    world.edit_task(task["id"], title="CRM")
    world.pass_time()
    answered = [{**guest, "responseStatus": "accepted"}]
    world.ann.edit(event_id, attendees=answered, reminders={"useDefault": True})
    world.calendar_changed()
    world.settle(patience=timedelta(minutes=1))

    assert _titles(world) == {"CRM"}


@pytest.mark.parametrize(
    ("crm_skew", "google_skew", "winner"),
    [(0, 0, "CRM"), (600, 0, "Google"), (600, 600, "CRM"), (0, -600, "Google")],
)
def test_wrong_clocks_do_not_decide_which_edit_was_later(
    world: World, crm_skew: int, google_skew: int, winner: str
) -> None:
    world.crm_side.skew = timedelta(seconds=crm_skew)
    world.ann.skew = timedelta(seconds=google_skew)
    task = world.add_task()
    world.settle()

    world.edit_event(world.only_event()["id"], summary="Google")
    world.edit_task(task["id"], title="CRM")
    world.settle()

    assert _titles(world) == {winner}


def test_the_same_edit_on_both_sides_is_no_conflict(world: World) -> None:
    world.settings(conflict_policy="manual")
    task = world.add_task()
    world.settle()
    world.forget_calls()

    world.edit_task(task["id"], title="Plan B")
    world.edit_event(world.only_event()["id"], summary="Plan B")
    world.settle()

    assert world.conflicts() == []
    assert "patch_event" not in world.ann.calls[1:]
    assert "update_task" not in world.crm_side.calls
    assert Reason.SAME_EDIT in world.reasons()


@pytest.mark.parametrize("policy", ["crm_wins", "last_modified_wins"])
def test_edits_of_different_fields_are_decided_as_one_unless_told_otherwise(
    world: World, policy: str
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task(location="Room 1")
    world.settle()

    world.edit_event(world.only_event()["id"], location="Room 2")
    world.edit_task(task["id"], title="CRM")
    world.settle()

    event = world.only_event()
    assert (event["summary"], event["location"]) == ("CRM", "Room 1")


@pytest.mark.parametrize(
    "policy", ["crm_wins", "google_wins", "last_modified_wins", "manual"]
)
def test_edits_of_different_fields_both_survive_where_that_is_wished(
    world: World, policy: str
) -> None:
    world.settings(conflict_policy=policy, merge_disjoint_edits=True)
    task = world.add_task(location="Room 1")
    world.settle()

    world.edit_event(world.only_event()["id"], location="Room 2")
    world.edit_task(task["id"], title="CRM")
    world.settle()

    event, task = world.only_event(), world.only_task()
    assert (event["summary"], event["location"]) == ("CRM", "Room 2")
    assert (task["title"], task["location"]) == ("CRM", "Room 2")
    assert Reason.MERGED in world.reasons()


def test_the_policy_decides_on_the_field_that_both_sides_changed(
    world: World,
) -> None:
    world.settings(conflict_policy="google_wins", merge_disjoint_edits=True)
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], title="CRM", description="From the CRM")
    world.edit_event(world.only_event()["id"], summary="Google", location="Room 2")
    world.settle()

    event, task = world.only_event(), world.only_task()
    assert (event["summary"], task["title"]) == ("Google", "Google")
    assert event["description"] == "From the CRM"
    assert task["location"] == "Room 2"


@pytest.mark.parametrize(
    ("policy", "is_alive"), [("crm_wins", True), ("google_wins", False)]
)
def test_an_event_deleted_while_its_task_was_edited(
    world: World, policy: str, *, is_alive: bool
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], title="CRM")
    world.remove_event(world.only_event()["id"])
    world.settle()

    assert bool(world.ann.live_events()) is is_alive
    status = world.crm_side.task(task["id"])["status"]
    assert status == ("open" if is_alive else "cancelled")


@pytest.mark.parametrize(
    ("policy", "is_alive"), [("crm_wins", False), ("google_wins", True)]
)
def test_a_task_deleted_while_its_event_was_edited(
    world: World, policy: str, *, is_alive: bool
) -> None:
    world.settings(conflict_policy=policy)
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]

    world.pass_time()
    world.ann.edit(event_id, summary="Google")
    world.remove_task(task["id"])
    world.calendar_changed()
    world.settle()

    assert bool(world.ann.live_events()) is is_alive
    titles = [task["title"] for task in world.crm_side.live_tasks()]
    assert titles == (["Google"] if is_alive else [])


def test_a_task_that_the_crm_deleted_is_found_when_it_is_written(
    world: World,
) -> None:
    world.settings(conflict_policy="google_wins")
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]

    world.crm_side.remove(task["id"])
    world.edit_event(event_id, summary="Google")
    world.settle()

    assert world.only_task()["title"] == "Google"
    assert world.only_task()["google_event_id"] == event_id


def test_a_task_that_the_crm_forgot_is_found_when_it_is_written(world: World) -> None:
    world.settings(conflict_policy="google_wins")
    task = world.add_task(due_at="2026-05-01T10:00:00Z")
    world.settle()
    world.crm_side.remove(task["id"])
    world.pass_time(timedelta(days=40))

    world.edit_event(world.only_event()["id"], summary="Google")
    world.settle()

    assert world.only_task()["title"] == "Google"


def test_an_event_that_google_forgot_is_made_anew_for_an_edit_in_the_crm(
    world: World,
) -> None:
    world.settings(conflict_policy="crm_wins")
    task = world.add_task()
    world.settle()
    world.ann.purge(world.only_event()["id"])

    world.edit_task(task["id"], title="CRM")
    world.settle()

    assert world.only_event()["summary"] == "CRM"


def test_a_record_that_never_stands_still_is_tried_again_later(world: World) -> None:
    world.settings(conflict_policy="crm_wins")
    task = world.add_task()
    world.settle()
    event_id = world.only_event()["id"]
    for number in range(3):
        edit = partial(world.ann.edit, event_id, summary=f"Google {number}")
        world.ann.before_next("patch_event", edit)

    world.edit_task(task["id"], title="CRM")
    world.settle()
    failed = world.last_item()
    world.settle(patience=timedelta(seconds=20))

    assert (failed.outcome, failed.reason) == ("failed", "contended_record")
    assert _titles(world) == {"CRM"}


def test_a_task_whose_present_state_the_crm_does_not_tell_is_read(
    world: World,
) -> None:
    world.settings(conflict_policy="crm_wins")
    task = world.add_task()
    world.settle()
    world.crm_side.edit(task["id"], title="CRM")
    world.crm_side.fail_next(errors.VersionMismatchError(), on="update_task")
    world.forget_calls()

    world.edit_event(world.only_event()["id"], summary="Google")
    world.settle()

    assert _titles(world) == {"CRM"}
    assert world.crm_side.calls == ["update_task", "get_task"]


def test_a_task_that_is_purged_while_it_is_read_counts_as_deleted(
    world: World,
) -> None:
    world.settings(conflict_policy="google_wins")
    world.add_task()
    world.settle()
    world.crm_side.fail_next(errors.RecordDeletedError(), on="update_task")
    world.crm_side.fail_next(errors.RecordNotFoundError(), on="get_task")

    world.edit_event(world.only_event()["id"], summary="Google")
    world.settle()

    titles = [task["title"] for task in world.crm_side.live_tasks()]
    assert titles == ["Plan", "Google"]


def test_our_own_write_does_not_make_an_edit_the_later_one(world: World) -> None:
    world.settings(merge_disjoint_edits=True)
    task = world.add_task()
    world.settle()
    world.edit_event(world.only_event()["id"], location="Room 3")
    world.pass_time()
    world.crm_side.edit(task["id"], title="First thought")
    world.pass_time()

    def second_thought() -> None:
        world.crm_side.edit(task["id"], title="Second thought")
        world.pass_time()

    world.ann.before_next("patch_event", second_thought)
    world.settle()

    assert _titles(world) == {"Second thought"}
    assert world.only_event()["location"] == "Room 3"
    assert world.only_task()["location"] == "Room 3"


def test_guests_read_after_a_refusal_are_known_on_both_sides(world: World) -> None:
    world.settings(merge_disjoint_edits=True)
    first, second = world.add_task(title="A"), world.add_task(title="B")
    world.settle()
    events = {e["summary"]: e["id"] for e in world.ann.live_events()}
    world.pass_time()

    world.crm_side.edit(first["id"], attendees=[{"email": "ben@example.com"}])
    world.edit_event(events["A"], location="Room 3")
    world.ann.edit(events["B"], attendees=[{"email": "ben@gmail.com"}])
    world.edit_task(second["id"], location="Room 4")
    world.settle()

    for task, event_id in [(first, events["A"]), (second, events["B"])]:
        (in_crm,) = world.crm_side.task(task["id"])["attendees"]
        (in_google,) = world.ann.event(event_id)["attendees"]
        assert in_crm["email"] == "ben@example.com"
        assert in_google["email"] == "ben@gmail.com"


@pytest.mark.parametrize("policy", ["crm_wins", "google_wins", "manual"])
def test_a_guest_who_connects_is_no_edit(world: World, policy: str) -> None:
    world.settings(conflict_policy=policy)
    world.add_event(attendees=[{"email": "cleo@gmail.com"}])
    world.settle()
    world.connect("cleo")

    world.edit_task(world.only_task()["id"], title="CRM")
    world.settle()

    assert _titles(world) == {"CRM"}
    assert world.last_item().reason == Reason.TASK_EDITED
