"""A user is forgotten: nothing is left of it here, and both sides stay as they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from shared.adapters.store import Owner, UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, LinkState
from shared.domain import errors, messages, model
from shared.domain.messages import Queue
from shared.domain.reconcile import Hold
from tests.unit.workers.machinery import Killed
from tests.unit.workers.world import World
from workers import holding
from workers.forgetting import Forgetting


def _owner(world: World, name: str = "ann") -> Owner:
    with world.store.read() as work:
        return work.belongings.owner(world.organization.id, name)


def _forget(world: World, name: str = "ann") -> dict[str, int]:
    return Forgetting(world.services).user(_owner(world, name))


def _is_known(world: World, name: str = "ann") -> bool:
    with world.store.read() as work:
        return work.connections.of_user(world.organization.id, name) is not None


def _both_sides(world: World, name: str = "ann") -> tuple[list[str], list[str]]:
    """Return what the CRM and somebody's calendar have."""
    return (
        sorted(task["title"] for task in world.crm_side.live_tasks()),
        sorted(event["summary"] for event in world.accounts[name].live_events()),
    )


@pytest.fixture
def busy(world: World) -> World:
    """Return a world in which Ann and Ben each have a meeting from either side."""
    world.add_task()
    world.add_event()
    world.add_task(title="Ben's", owner_id="ben")
    world.settle()
    return world


@pytest.fixture
def shared(simulated: World) -> World:
    """Return a world in which Ann has invited Ben, once on either side."""
    simulated.connect("ben")
    guests = [{"email": "ben@gmail.com"}]
    simulated.add_event("shared", summary="Review", attendees=guests)
    simulated.add_task(attendees=[{"user_id": "ben", "email": "ben@example.com"}])
    simulated.settle()
    simulated.calendar_changed("ben")
    simulated.settle()
    return simulated


# -- what goes, and what stays ----------------------------------------------------


def test_nothing_is_left_of_the_user_and_both_sides_stay(busy: World) -> None:
    owner, before = _owner(busy), _both_sides(busy)
    counted = Forgetting(busy.services).count(owner)

    gone = _forget(busy)

    assert not _is_known(busy)
    assert gone == counted
    assert {"links", "copies", "history", "jobs", "channels"} <= gone.keys()
    assert Forgetting(busy.services).count(owner) == {}
    assert _both_sides(busy) == before
    assert _both_sides(busy, "ben")[1] == ["Ben's"]


def test_google_is_told_that_we_need_nothing_any_more(busy: World) -> None:
    _forget(busy)

    assert busy.revoked == ["ann"]
    assert busy.ann.channels == {}


def test_an_account_that_another_user_connects_as_well_stays_open(busy: World) -> None:
    token = {"refresh_token": "refresh"}
    busy.change_connection("ben", google_sub="sub-ann", **token)
    busy.change_connection(**token)

    _forget(busy)

    assert busy.revoked == []


def test_google_need_not_answer(busy: World) -> None:
    busy.be_down(on="stop_channel")
    busy.revocation_fails = errors.RemoteUnavailableError()

    _forget(busy)

    assert not _is_known(busy)


def test_a_user_without_a_connection_is_forgotten(busy: World) -> None:
    with busy.store.begin() as work:
        work.searches.request(busy.organization.id, busy.clock.now()).unread = [
            "ben",
            "cleo",
        ]
        orphan = tables.Orphan(
            organization_id=busy.organization.id, kind="x", crm_user_id="cleo"
        )
        work.orphans.add(orphan)
        work.commit()

    gone = _forget(busy, "cleo")

    assert gone == {"orphans": 1}
    with busy.store.read() as work:
        assert work.searches.by_id(busy.organization.id).unread == ["ben"]


def test_who_connects_again_finds_everything_as_it_was(busy: World) -> None:
    before = _both_sides(busy)
    _forget(busy)

    busy.pass_time()
    busy.connect("ann")
    after = _both_sides(busy)
    busy.edit_event("fromgoogle", summary="Long lunch")
    busy.settle()

    assert after == before
    assert "Long lunch" in _both_sides(busy)[0]
    assert busy.dead_letters() == []


# -- what is shared ---------------------------------------------------------------


def test_what_is_shared_is_led_by_the_other_users_calendar(shared: World) -> None:
    before = _both_sides(shared)

    _forget(shared)
    shared.pass_time(timedelta(minutes=3))
    shared.periodic.round()
    shared.settle()

    links = _links(shared)
    assert {link.calendar_id for link in links} == {shared.calendar("ben").id}
    assert [link.state for link in links] == [LinkState.ACTIVE] * 2
    assert _both_sides(shared) == before
    assert shared.dead_letters() == []


def test_what_is_shared_stays_in_step_and_is_not_doubled(shared: World) -> None:
    _forget(shared)
    shared.pass_time()
    for event in shared.ann.live_events():
        shared.ann.edit(event["id"], location="Room 1")
    shared.calendar_changed("ben")
    shared.settle()

    tasks = shared.crm_side.live_tasks()
    assert sorted(task["title"] for task in tasks) == ["Plan", "Review"]
    assert [task["location"] for task in tasks] == ["Room 1", "Room 1"]


def test_what_we_made_for_one_is_not_removed_for_the_other(shared: World) -> None:
    _forget(shared)
    shared.settle()
    (task,) = [t for t in shared.crm_side.live_tasks() if t["title"] == "Plan"]

    shared.edit_task(task["id"], type="Call")
    shared.settle()

    assert _both_sides(shared, "ben")[1] == ["Plan", "Review"]


def test_who_is_only_paused_goes_on_with_what_is_shared(shared: World) -> None:
    shared.change_connection("ben", state=ConnectionState.NEEDS_REAUTHORIZATION)

    _forget(shared)
    shared.reconnect("ben")

    assert len(_links(shared)) == 2
    assert _both_sides(shared, "ben") == (["Plan", "Review"], ["Plan", "Review"])


def test_who_connects_again_leads_what_is_shared_again(shared: World) -> None:
    before = _both_sides(shared)
    _forget(shared)
    shared.settle()

    shared.pass_time()
    shared.connect("ann")
    shared.settle()

    assert _both_sides(shared) == before
    assert {link.calendar_id for link in _links(shared)} == {shared.calendar().id}


def test_a_meeting_that_a_worker_has_in_hand_can_wait(shared: World) -> None:
    names = holding.of_link(_links(shared)[0])

    with (
        holding.held(shared.store, names),
        pytest.raises(errors.RecordBusyError, match="in hand"),
    ):
        _forget(shared)
    _forget(shared)

    assert not _is_known(shared)


def test_a_meeting_that_moves_to_a_third_user_meanwhile_is_that_users(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.connect("cleo")
    to = shared.calendar("cleo").id

    @contextmanager
    def held(*_: object) -> Iterator[bool]:
        with shared.store.begin() as work:
            for link in _links(shared):
                work.links.by_id(link.id).calendar_id = to
            work.commit()
        yield True

    monkeypatch.setattr(holding, "held", held)
    _forget(shared)

    assert {link.calendar_id for link in _links(shared)} == {to}


def test_a_meeting_that_is_given_up_meanwhile_is_nobodys(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def held(*_: object) -> Iterator[bool]:
        with shared.store.begin() as work:
            work.belongings.remove_some("links", _owner(shared), limit=10)
            work.commit()
        yield True

    monkeypatch.setattr(holding, "held", held)
    _forget(shared)

    assert _links(shared) == []


def test_a_mass_deletion_of_what_is_shared_waits_for_an_admin_still(
    shared: World,
) -> None:
    with shared.store.begin() as work:
        held = tables.HeldDeletion(
            organization_id=shared.organization.id,
            connection_id=shared.connection().id,
            side=model.Side.CRM,
            created_at=shared.clock.now(),
        )
        held_id = work.held_deletions.add(held).id
        for link in _links(shared):
            work.links.by_id(link.id).held_deletion_id = held_id
        work.commit()

    _forget(shared)

    with shared.store.read() as work:
        (row,) = work.held_deletions.page(shared.organization.id, limit=10).rows
        links = work.held_deletions.links_of(row.id)
    assert row.connection_id == shared.connection("ben").id
    assert row.state == Hold.WAITING
    assert [link.state for link in links] == [LinkState.ACTIVE] * 2


def _links(world: World) -> list[tables.Link]:
    with world.store.read() as work:
        found = work.links.of_tasks(
            world.organization.id, work.links.task_ids(world.organization.id)
        )
    return list(found.values())


# -- meanwhile --------------------------------------------------------------------


def test_events_that_are_being_removed_are_waited_for(busy: World) -> None:
    before = Forgetting(busy.services).count(_owner(busy))
    busy.change_connection(state=ConnectionState.PAUSED, problem=None)

    with pytest.raises(errors.RecordBusyError, match="being removed"):
        _forget(busy)

    assert Forgetting(busy.services).count(_owner(busy)) == before


def test_a_job_that_others_have_a_part_in_ends(busy: World) -> None:
    with busy.store.begin() as work:
        job = tables.Job(
            organization_id=busy.organization.id,
            connection_id=busy.connection().id,
            trigger="repair",
            direction="both",
            started_at=busy.clock.now(),
        )
        job_id = work.jobs.add(job).id
        other = tables.JobItem(
            organization_id=busy.organization.id,
            connection_id=busy.connection("ben").id,
            job_id=job_id,
            delivery_id="theirs",
            at=busy.clock.now(),
            action="none",
            outcome="unchanged",
            reason="unchanged",
            attempts=1,
        )
        work.items.add(other)
        work.commit()

    _forget(busy)

    (left,) = [job for job in busy.jobs() if job.id == job_id]
    assert (left.state, left.connection_id) == ("failed", None)


def test_a_task_that_was_passed_over_is_forgotten_as_well(world: World) -> None:
    world.add_task(title="Mine", type="Call")
    world.add_task(title="Not mine", type="Call", owner_id="ben")
    world.settle()

    _forget(world)

    seen = [item.crm["title"] for item in world.items() if item.crm]
    assert seen == ["Not mine"]


def test_messages_under_way_are_dropped(busy: World) -> None:
    connection_id, calendar_id = busy.connection().id, busy.calendar().id
    task = busy.crm_side.live_tasks()[0]
    by_connection = (
        messages.ConnectionDue,
        messages.PreviewDue,
        messages.HandoverDue,
        messages.RemovalDue,
        messages.AccessDue,
    )
    by_calendar = (messages.CalendarDue, messages.WatchDue, messages.WindowDue)
    for kind in by_connection:
        busy.queue(Queue.BACKFILL, kind(connection_id=connection_id))
    for each in by_calendar:
        busy.queue(Queue.RECORDS, each(calendar_id=calendar_id))
    due = messages.EventDue(calendar_id=calendar_id, event_id="fromgoogle")
    busy.queue(Queue.RECORDS, due)
    busy.calendar_changed()
    busy.task_changed(task)

    _forget(busy)
    busy.settle(patience=timedelta(hours=3))

    assert busy.dead_letters() == []
    assert not _is_known(busy)


def test_dead_letters_about_the_user_go_and_others_stay(busy: World) -> None:
    for name in ("ann", "ben"):
        busy.accounts[name].fail_next(errors.RemoteRejectedError(), on="list_events")
        busy.calendar_changed(name)
        busy.settle()
    invited = messages.InvitationDue(
        organization_id=busy.organization.id, crm_user_id="ann"
    )
    busy.crm_side.fail_next(errors.RemoteRejectedError(), on="notify")
    _disconnect(busy)
    busy.queue(Queue.RECORDS, invited)
    busy.settle()
    _file_unreadable(busy)
    before = len(busy.dead_letters())

    gone = _forget(busy)

    assert (before, gone["dead_letters"]) == (4, 2)
    assert len(busy.dead_letters()) == 2


def _disconnect(world: World) -> None:
    with world.store.begin() as work:
        row = work.connections.by_id(world.connection().id)
        work.connections.forget_access(row)
        work.commit()


def _file_unreadable(world: World) -> None:
    with world.store.begin() as work:
        work.dead_letters.file(
            tables.DeadLetter(
                organization_id=world.organization.id,
                delivery_id="unreadable",
                queue="records",
                reason="unreadable",
                error="",
                attempts=1,
                message="{",
                created_at=world.clock.now(),
            )
        )
        work.commit()


@pytest.mark.parametrize("transactions", range(17))
def test_whoever_is_killed_can_begin_again(
    shared: World, transactions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, tasks = _both_sides(shared), len(_links(shared))
    begin = shared.store.begin
    left = transactions

    @contextmanager
    def dying() -> Iterator[UnitOfWork]:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        with begin() as work:
            yield work

    monkeypatch.setattr(shared.store, "begin", dying)
    with pytest.raises(Killed):
        _forget(shared)
    monkeypatch.undo()
    shared.settle()
    _forget(shared)
    shared.settle()

    assert not _is_known(shared)
    assert _both_sides(shared) == before
    assert len(_links(shared)) == tasks
    assert shared.dead_letters() == []


def test_who_connects_again_each_time_is_told(busy: World) -> None:
    class Persistent(World):
        """Ann connects again as soon as her grant was ended."""

        def revoke(self, connection: tables.Connection) -> None:
            assert connection.crm_user_id == "ann"
            self.change_connection(state=ConnectionState.ACTIVE)

    world = Persistent(busy.store, busy.outside)

    with pytest.raises(errors.RecordBusyError, match="connected again"):
        _forget(world)

    assert _is_known(world)


def test_an_origin_is_googles_once_another_leads(shared: World) -> None:
    _forget(shared)

    assert {link.origin for link in _links(shared)} == {model.Side.GOOGLE}
