"""Task and event that name each other become one meeting; what is claimed does not."""

from datetime import timedelta

from shared.adapters.store.states import LinkState
from shared.domain import errors
from shared.domain.reasons import Reason
from tests.unit.workers.world import World

START = {"dateTime": "2026-03-03T10:00:00Z", "timeZone": "UTC"}
END = {"dateTime": "2026-03-03T10:30:00Z", "timeZone": "UTC"}


def _tag(task_id: str, organization: str = "acme") -> dict[str, object]:
    private = {"crmTaskId": task_id, "crmOrganization": organization}
    return {"private": private}


def test_a_task_that_names_an_equal_event_adopts_it(world: World) -> None:
    world.ann.create("existing", summary="Plan", start=START, end=END)

    task = world.add_task(
        google_event_id="existing", google_calendar_id="ann@gmail.com"
    )
    world.settle()

    assert world.ann.calls == ["get_event"]
    assert world.last_item().reason == Reason.ADOPTED
    link = world.only_link()
    assert (link.task_id, link.event_id) == (task["id"], "existing")
    assert link.state == LinkState.ACTIVE


def test_an_event_that_names_an_equal_task_is_adopted(world: World) -> None:
    task = world.crm_side.add(
        title="Plan",
        owner_id="ann",
        due_at="2026-03-03T10:00:00Z",
        duration_minutes=30,
    )

    world.add_event(
        summary="Plan", start=START, end=END, extendedProperties=_tag(task["id"])
    )
    world.settle()

    assert world.only_task() == task
    assert world.only_link().event_id == "fromgoogle"
    assert world.last_item().reason == Reason.ADOPTED


def test_an_adopted_event_that_differs_is_a_conflict_for_the_policy(
    world: World,
) -> None:
    world.settings(conflict_policy="crm_wins")
    world.ann.create("existing", summary="Old", start=START, end=END)

    world.add_task(google_event_id="existing", google_calendar_id="ann@gmail.com")
    world.settle()

    assert world.only_event()["summary"] == "Plan"
    assert world.only_link().state == LinkState.ACTIVE


def test_an_event_in_another_calendar_is_not_adopted(world: World) -> None:
    world.ben.create("existing", summary="Plan", start=START, end=END)

    world.add_task(google_event_id="existing", google_calendar_id="ben@gmail.com")
    world.settle()

    assert world.only_event()["id"] != "existing"


def test_a_task_that_names_a_deleted_event_gets_one_of_its_own(world: World) -> None:
    world.ann.create("existing", summary="Plan", status="cancelled")

    world.add_task(google_event_id="existing", google_calendar_id="ann@gmail.com")
    world.settle()

    assert world.only_event()["id"] != "existing"


def test_a_task_that_names_an_unknown_event_gets_one_of_its_own(world: World) -> None:
    world.add_task(google_event_id="nowhere", google_calendar_id="ann@gmail.com")

    world.settle()

    assert world.only_event()["summary"] == "Plan"


def test_a_task_that_names_the_event_of_another_task_gets_one_of_its_own(
    world: World,
) -> None:
    world.add_task(title="First")
    world.settle()
    claimed = world.only_event()["id"]

    world.add_task(
        title="Second", google_event_id=claimed, google_calendar_id="ann@gmail.com"
    )
    world.settle()

    titles = sorted(event["summary"] for event in world.ann.live_events())
    assert titles == ["First", "Second"]


def test_a_task_that_names_a_copy_of_a_meeting_with_a_task_gets_its_own_event(
    world: World,
) -> None:
    organizer = {"email": "ann@gmail.com"}
    world.add_event("shared", "ann", summary="Shared")
    world.settle()
    world.ben.create("shared", summary="Shared", organizer=organizer)

    world.add_task(
        title="Mine",
        owner_id="ben",
        google_event_id="shared2",
        google_calendar_id="ben@gmail.com",
    )
    world.ben.create(
        "shared2", summary="Shared", iCalUID="shared@google.com", organizer=organizer
    )
    world.settle()

    titles = {event["summary"] for event in world.ben.live_events()}
    assert titles == {"Shared", "Mine"}
    assert world.broker.waiting() == []


def test_a_copy_that_somebody_made_of_our_event_becomes_a_meeting_of_its_own(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()

    world.add_event("copied", summary="Copy", extendedProperties=_tag(task["id"]))
    world.settle()

    assert len(world.crm_side.live_tasks()) == 2
    assert len(world.ann.live_events()) == 2
    copied = next(t for t in world.crm_side.live_tasks() if t["id"] != task["id"])
    assert copied["google_event_id"] == "copied"


def test_the_first_edit_of_such_a_copy_gives_it_the_right_tag(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.add_event("copied", summary="Copy", extendedProperties=_tag(task["id"]))
    world.settle()
    copied = next(t for t in world.crm_side.live_tasks() if t["id"] != task["id"])

    world.edit_task(copied["id"], title="Mine")
    world.settle()

    private = world.ann.event("copied")["extendedProperties"]["private"]
    assert private["crmTaskId"] == copied["id"]


def test_a_tag_of_another_organization_means_nothing(world: World) -> None:
    task = world.crm_side.add(title="Plan", owner_id="ann", due_at=None)

    world.add_event(extendedProperties=_tag(task["id"], "other"))
    world.settle()

    assert len(world.crm_side.live_tasks()) == 2


def test_a_tag_of_another_users_task_means_nothing(world: World) -> None:
    task = world.crm_side.add(title="Plan", owner_id="ben", due_at=None)

    world.add_event(extendedProperties=_tag(task["id"]))
    world.settle()

    assert len(world.crm_side.live_tasks()) == 2


def test_a_tag_of_a_task_that_is_gone_means_nothing(world: World) -> None:
    task = world.crm_side.add(title="Plan", owner_id="ann", due_at=None)
    world.crm_side.remove(task["id"])

    world.add_event(extendedProperties=_tag(task["id"]))
    world.add_event("another", extendedProperties=_tag("unheard-of"))
    world.settle()

    assert len(world.crm_side.live_tasks()) == 2


def test_an_event_of_ours_whose_task_left_the_scope_unseen_is_removed(
    world: World,
) -> None:
    task = world.crm_side.add(
        title="Plan", owner_id="ann", due_at="2026-03-03T10:00:00Z", type="Call"
    )

    world.add_event(extendedProperties=_tag(task["id"]))
    world.settle()

    assert world.ann.live_events() == []
    assert world.crm_side.task(task["id"]) == task


def test_a_task_that_claims_an_event_in_the_crm_is_its_counterpart(
    world: World,
) -> None:
    task = world.crm_side.add(
        title="Lunch",
        owner_id="ann",
        due_at="2026-03-03T09:00:00Z",
        google_event_id="fromgoogle",
    )

    world.add_event()
    world.settle()

    assert [t["id"] for t in world.crm_side.live_tasks()] == [task["id"]]
    link = world.only_link()
    assert (link.event_id, link.state) == ("fromgoogle", LinkState.ACTIVE)


def test_an_undated_task_that_claims_an_event_leaves_it_alone(world: World) -> None:
    task = world.crm_side.add(
        title="Lunch", owner_id="ann", due_at=None, google_event_id="fromgoogle"
    )

    world.add_event()
    world.settle()

    assert world.only_event()["id"] == "fromgoogle"
    assert world.only_task() == task
    assert world.only_link().state == LinkState.DETACHED


def test_a_task_with_an_event_that_claims_another_one_too_is_for_an_operator(
    world: World,
) -> None:
    task = world.add_task()
    world.settle()
    world.crm_side.edit(task["id"], google_event_id="fromgoogle")

    world.add_event()
    world.settle()

    (letter,) = world.dead_letters()
    assert (letter.event_id, letter.reason) == ("fromgoogle", "remote_rejected")
    assert world.broker.waiting() == []


def test_a_duplicate_that_the_crm_does_not_name_is_tried_again(world: World) -> None:
    world.crm_side.fail_next(*[errors.DuplicateRecordError()] * 3, on="create_task")

    world.add_event()
    world.settle()
    failed = world.last_item()
    world.settle(patience=timedelta(seconds=20))

    assert failed.reason == "contended_record"
    assert world.only_task()["title"] == "Lunch"
