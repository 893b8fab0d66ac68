"""What the queries behind the pages must do on every database."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.repositories.activity import HOUR
from shared.adapters.store.repositories.roster import Wanted
from shared.adapters.store.states import ConnectionState, Direction
from shared.domain.messages import Trigger
from tests import store_rows
from tests.store_rows import NOW

BEGIN = NOW.replace(minute=0, second=0, microsecond=0)


class RosterContract(store_rows.OrganizationFixture):
    """People with their connections."""

    @pytest.fixture(autouse=True)
    def people(self, store: Store, acme: tables.Organization) -> None:
        """Store one person of each kind."""
        with store.begin() as work:
            other = store_rows.add_organization(work, "other")
            for organization, user_id, name in (
                (acme, "u1", "Zoe"),
                (acme, "u2", "Ann"),
                (acme, "u3", None),
                (acme, "u4", "Bob"),
                (other, "u5", "Eve"),
            ):
                work.users.add(
                    tables.CrmUser(
                        organization_id=organization.id,
                        user_id=user_id,
                        name=name,
                        email=f"{user_id}_a@example.com",
                        active=user_id != "u4",
                    )
                )
            connect = store_rows.add_connection
            connect(work, acme, "u1", state="needs_reauthorization", problem="revoked")
            connect(work, acme, "u2", google_address="ann@mail.example")
            connect(work, acme, "u4", state="paused", problem="not_started")
            connect(work, acme, "gone", state="paused", problem="api_disabled")
            connect(work, acme, "over", state="disconnected")
            work.commit()

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (Wanted(), ["u1", "u4", "gone", "u2", "u3"]),
            (Wanted(needs_attention=True), ["u1", "gone"]),
            (Wanted(needs_attention=False), ["u4", "u2", "u3"]),
            (Wanted(state=ConnectionState.PAUSED), ["u4", "gone"]),
            (Wanted(state=ConnectionState.DISCONNECTED), ["u3"]),
            (Wanted(search="MAIL.ex"), ["u2"]),
            (Wanted(search="3_a"), ["u3"]),
            (Wanted(search="3%a"), []),
            (Wanted(search="zo"), ["u1"]),
            (Wanted(search="gon"), ["gone"]),
        ],
    )
    def test_people_are_found_and_counted(
        self,
        store: Store,
        acme: tables.Organization,
        wanted: Wanted,
        found: list[str],
    ) -> None:
        with store.read() as work:
            seats = work.roster.page(acme.id, wanted, limit=10)
            count = work.roster.count(acme.id, wanted)

        assert [seat.crm_user_id for seat in seats] == found
        assert count == len(found)

    def test_pages_follow_one_another(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.read() as work:
            pages = [
                work.roster.page(acme.id, Wanted(), limit=2, skip=skip)
                for skip in (0, 2, 4)
            ]

        found = [seat.crm_user_id for page in pages for seat in page]
        assert found == ["u1", "u4", "gone", "u2", "u3"]
        active = {seat.crm_user_id: seat.is_active for page in pages for seat in page}
        assert active == {
            "u1": True,
            "u2": True,
            "u3": True,
            "u4": False,
            "gone": False,
        }


class ActivityContract(store_rows.OrganizationFixture):
    """The history over time."""

    def test_hours_add_up_by_side(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            other = store_rows.add_organization(work, "other")
            for organization, hour, action, outcome in (
                (acme, 0, "create_event", "applied"),
                (acme, 0, "update_event+update_task", "conflict"),
                (acme, 1, "update_task", "failed"),
                (acme, 1, "none", "unchanged"),
                (acme, 3, "update_task", "applied"),
                (acme, -1, "update_task", "applied"),
                (other, 0, "update_task", "applied"),
            ):
                at = BEGIN + hour * HOUR + timedelta(minutes=59, seconds=59)
                add_item(work, organization, at=at, action=action, outcome=outcome)
            hours = work.activity.by_hour(acme.id, since=BEGIN, hours=3)

        counts = [(h.at, h.to_google, h.to_crm, h.errors) for h in hours]
        assert counts == [
            (BEGIN, 2, 1, 0),
            (BEGIN + HOUR, 0, 0, 1),
            (BEGIN + 2 * HOUR, 0, 0, 0),
        ]

    def test_arrivals_are_what_came_from_google(
        self, store: Store, acme: tables.Organization
    ) -> None:
        google = {"edited_at": NOW.isoformat()}
        with store.begin() as work:
            add_item(work, acme, at=NOW, google=google)
            add_item(work, acme, at=NOW + HOUR, trigger=Trigger.SCHEDULE)
            add_item(work, acme, at=NOW, trigger=Trigger.MANUAL)
            add_item(work, acme, at=NOW, direction=Direction.CRM_TO_GOOGLE)
            add_item(work, acme, at=NOW, outcome="unchanged")
            add_item(work, acme, at=NOW - HOUR)
            found = work.activity.arrivals(acme.id, since=NOW, limit=10)
            newest = work.activity.arrivals(acme.id, since=NOW, limit=1)

        assert [(a.trigger, a.at, a.edited_at) for a in found] == [
            ("schedule", NOW + HOUR, None),
            ("webhook", NOW, NOW),
        ]
        assert newest == found[:1]

    def test_what_came_about_through_a_connection(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            connection = store_rows.add_connection(work, acme)
            own: dict[str, Any] = {"connection_id": connection.id}
            failed = add_item(work, acme, at=NOW, outcome="failed", **own)
            later = add_item(work, acme, at=NOW + HOUR, **own)
            add_item(work, acme, at=NOW, outcome="unchanged", **own)
            old = add_item(work, acme, at=NOW - HOUR, outcome="failed", **own)
            add_item(work, acme, at=NOW, outcome="failed")
            newest = work.activity.newest_of(connection.id, limit=10)
            errors = work.activity.errors_among([connection.id], since=NOW)

        assert [row.id for row in newest] == [later, failed, old]
        assert errors == {connection.id: 1}

    def test_channels_that_end_soon_and_jobs_that_run(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            connection = store_rows.add_connection(work, acme)
            calendar = store_rows.add_calendar(work, connection)
            for number, (state, hours) in enumerate(
                [("open", 1), ("open", 30), ("open", 0), ("closed", 1)]
            ):
                work.channels.add(
                    tables.Channel(
                        id=f"c{number}",
                        calendar_id=calendar.id,
                        state=state,
                        created_at=NOW,
                        expires_at=NOW + hours * HOUR,
                    )
                )
            nothing = work.jobs.running_of(connection.id)
            job = add_job(work, acme, connection_id=connection.id, expected=None)
            add_job(work, acme, connection_id=connection.id, expected=0)
            running = work.jobs.running_of(connection.id)
            count = work.channels.count_expiring(
                acme.id, now=NOW, before=NOW + 24 * HOUR
            )

        assert nothing is None
        assert running is not None
        assert running.id == job.id
        assert count == 1

    def test_open_conflicts_are_counted_by_user(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            for user_id, state in (("u1", "open"), ("u1", "resolved"), ("u2", "open")):
                work.conflicts.add(
                    tables.Conflict(
                        organization_id=acme.id,
                        link_id=store_rows.add_link(work, acme).id,
                        crm_user_id=user_id,
                        state=state,
                        fields=[],
                        created_at=NOW,
                        updated_at=NOW,
                    )
                )
            everybody = work.conflicts.count_open(acme.id)
            own = work.conflicts.count_open(acme.id, crm_user_id="u1")

        assert (everybody, own) == (2, 1)


def add_job(
    work: UnitOfWork,
    organization: tables.Organization,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.Job:
    """Store a job that begins now."""
    values: dict[str, Any] = {
        "connection_id": None,
        "trigger": Trigger.WEBHOOK,
        "direction": Direction.GOOGLE_TO_CRM,
    } | columns
    return work.jobs.start(organization_id=organization.id, now=NOW, **values)


def add_item(
    work: UnitOfWork,
    organization: tables.Organization,
    *,
    trigger: Trigger = Trigger.WEBHOOK,
    direction: Direction = Direction.GOOGLE_TO_CRM,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> int:
    """Store what became of a record, in a job of its own; return its id."""
    job = add_job(work, organization, trigger=trigger, direction=direction)
    values: dict[str, Any] = {
        "delivery_id": "d1",
        "action": "update_task",
        "outcome": "applied",
        "reason": "event_edited",
        "attempts": 1,
    } | columns
    row = tables.JobItem(job_id=job.id, organization_id=organization.id, **values)
    return work.items.record(row).id
