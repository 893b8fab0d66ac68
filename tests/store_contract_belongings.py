"""What is one user's is found, counted and deleted, and nothing else, everywhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from shared.adapters.store import REMOVED, SHOWN, Owner, Store, UnitOfWork, tables
from shared.adapters.store.states import ConflictState, LinkState
from tests import store_rows
from tests.store_contract_retention import add_conflict, add_line
from tests.store_rows import LATER, NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody's rows, as far as tests name them."""

    owner: Owner
    connection: tables.Connection
    calendar: tables.Calendar
    link: tables.Link
    copy: tables.Copy


def add_person(
    work: UnitOfWork, organization: tables.Organization, user_id: str
) -> Person:
    """Store a row of every kind about a user."""
    connection = store_rows.add_connection(
        work,
        organization,
        user_id,
        google_sub=f"sub-{user_id}",
        google_address=f"{user_id}@gmail.com",
        refresh_token=f"refresh-{user_id}",
        access_token=f"access-{user_id}",
    )
    calendar = store_rows.add_calendar(work, connection, sync_token=f"cursor-{user_id}")
    link = store_rows.add_link(
        work,
        organization,
        calendar_id=calendar.id,
        event_id=f"event-{user_id}",
        task_id=f"task-{user_id}",
    )
    copy = add_copy(work, calendar, link)
    add_line(work, organization, at=NOW, connection_id=connection.id, link_id=link.id)
    add_conflict(work, organization, link=link).crm_user_id = user_id
    held = store_rows.add_held_deletion(work, connection)
    link.held_deletion_id = held.id
    work.channels.add(
        tables.Channel(
            id=f"channel-{user_id}",
            calendar_id=calendar.id,
            state="open",
            created_at=NOW,
        )
    )
    work.previews.request(connection.id, NOW)
    work.budgets.locked([f"account sub-{user_id} of 1"])
    _add_access(work, organization, user_id)
    return Person(
        owner=work.belongings.owner(organization.id, user_id),
        connection=connection,
        calendar=calendar,
        link=link,
        copy=copy,
    )


def add_copy(
    work: UnitOfWork,
    calendar: tables.Calendar,
    link: tables.Link | None,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.Copy:
    """Store a copy of a link's event on a calendar."""
    values = {"event_id": link.event_id if link else None} | columns
    return work.copies.add(
        tables.Copy(
            calendar_id=calendar.id,
            link_id=link.id if link else None,
            etag='"1"',
            document={},
            **values,
        )
    )


def _add_access(
    work: UnitOfWork, organization: tables.Organization, user_id: str
) -> None:
    mine = {"organization_id": organization.id, "crm_user_id": user_id}
    work.tokens.add(
        tables.ApiToken(
            token_hash=f"token-{user_id}", role="user", created_at=NOW, **mine
        )
    )
    work.login_codes.add(
        tables.LoginCode(
            code_hash=f"code-{user_id}", role="user", expires_at=LATER, **mine
        )
    )
    work.oauth_states.add(
        tables.OAuthState(
            state_hash=f"state-{user_id}",
            code_verifier="verifier",
            created_at=NOW,
            expires_at=LATER,
            **mine,
        )
    )
    work.orphans.add(tables.Orphan(kind="dead-links", **mine))


def _rows(store: Store) -> Mapping[str, int]:
    """Return how many rows each table has."""
    with store.reader.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in tables.Base.metadata.sorted_tables
        }


def _remove_all(store: Store, owner: Owner) -> bool:
    """Delete one row after the other; return whether the connection is gone."""
    with store.begin() as work:
        for part in REMOVED:
            while work.belongings.remove_some(part, owner, limit=1):
                work.commit()
        is_gone = work.belongings.remove_connection(owner)
        work.commit()
    return is_gone


class BelongingsContract(store_rows.OrganizationFixture):
    """Ann is u1, and Ben u2."""

    @pytest.fixture
    def ann(self, store: Store, acme: tables.Organization) -> Person:
        """Return Ann with all that is hers."""
        with store.begin() as work:
            person = add_person(work, acme, "u1")
            work.commit()
        return person

    @pytest.fixture
    def ben(self, store: Store, acme: tables.Organization) -> Person:
        """Return Ben with all that is his."""
        with store.begin() as work:
            person = add_person(work, acme, "u2")
            work.commit()
        return person

    def test_all_that_is_a_users_goes_and_nothing_else(
        self, store: Store, acme: tables.Organization, ben: Person
    ) -> None:
        before = _rows(store)
        with store.begin() as work:
            ann = add_person(work, acme, "u1")
            work.connections.forget_access(ann.connection)
            work.commit()

        is_gone = _remove_all(store, ann.owner)

        # A held deletion comes with a link that nobody leads.
        assert is_gone
        assert _rows(store) == {**before, "links": before["links"] + 1}
        with store.read() as work:
            assert work.belongings.count(ann.owner) == {}
            left = work.belongings.count(ben.owner)
        assert list(left) == list(REMOVED)

    def test_a_user_who_has_nothing_has_nothing_of_others(
        self, store: Store, acme: tables.Organization, ann: Person
    ) -> None:
        with store.begin() as work:
            # Of nobody's connection.
            add_line(work, acme, at=NOW)
            work.commit()
        before = _rows(store)
        with store.read() as work:
            nobody = work.belongings.owner(acme.id, "u9")

        is_gone = _remove_all(store, nobody)

        assert (nobody.connection_id, is_gone) == (None, True)
        assert _rows(store) == before
        assert ann.owner.connection_id is not None

    def test_a_connection_that_is_connected_or_not_bare_stays(
        self, store: Store, ann: Person
    ) -> None:
        still_connected = _remove_all(store, ann.owner)
        with store.begin() as work:
            work.connections.forget_access(work.connections.by_id(ann.connection.id))
            add_copy(work, ann.calendar, None, event_id="late")
            work.commit()
        with store.begin() as work:
            not_bare = work.belongings.remove_connection(ann.owner)
            work.commit()

        assert (still_connected, not_bare) == (False, False)
        with store.read() as work:
            assert work.connections.get(ann.connection.id) is not None

    def test_a_job_with_lines_about_others_stays_without_its_user(
        self, store: Store, acme: tables.Organization, ann: Person, ben: Person
    ) -> None:
        with store.begin() as work:
            (mine,) = work.items.history_of_link(ann.link.id)
            job = work.jobs.by_id(mine.job_id)
            line = add_line(work, acme, at=NOW, connection_id=ben.connection.id)
            line.job_id, line.delivery_id = job.id, "of Ben's"
            work.commit()

        _remove_all(store, ann.owner)

        with store.read() as work:
            assert work.jobs.by_id(job.id).connection_id is None
            assert work.items.by_id(line.id).job_id == job.id

    def test_links_of_which_others_have_copies_are_told(
        self, store: Store, acme: tables.Organization, ann: Person, ben: Person
    ) -> None:
        with store.begin() as work:
            named = _another(work, acme, ann, event_id="named")
            add_copy(work, ben.calendar, named, event_id="a")
            same = _another(work, acme, ann, event_id="same", ical_uid="uid")
            add_copy(work, ben.calendar, None, event_id="b", ical_uid="uid")
            _another(work, acme, ann, event_id="other", ical_uid="other")
            work.commit()

        with store.read() as work:
            assert work.belongings.shared_links(ann.owner) == [named.id, same.id]

    def test_an_open_conflict_about_a_meeting_that_another_leads_stays(
        self, store: Store, acme: tables.Organization, ann: Person, ben: Person
    ) -> None:
        with store.begin() as work:
            settled = add_conflict(work, acme, link=ben.link, resolved_at=NOW)
            led = work.conflicts.open_of_link(ben.link.id)
            assert led is not None
            led.crm_user_id = settled.crm_user_id = "u1"
            work.commit()

        _remove_all(store, ann.owner)

        with store.read() as work:
            (left,) = work.conflicts.page(acme.id, limit=9).rows
            assert (left.id, left.state) == (led.id, ConflictState.OPEN)

    def test_what_stays_does_not_name_what_is_gone(
        self, store: Store, ann: Person, ben: Person
    ) -> None:
        with store.begin() as work:
            shared = add_copy(work, ben.calendar, ann.link)
            held = work.links.by_id(ann.link.id).held_deletion_id
            work.links.by_id(ben.link.id).held_deletion_id = held
            work.commit()

        _remove_all(store, ann.owner)

        with store.read() as work:
            assert work.copies.by_id(shared.id).link_id is None
            assert work.links.by_id(ben.link.id).held_deletion_id is None

    def test_the_spent_quota_of_an_account_that_two_connect_stays(
        self, store: Store, ann: Person, ben: Person
    ) -> None:
        with store.begin() as work:
            work.connections.by_id(ben.connection.id).google_sub = ann.owner.google_sub
            work.commit()

        with store.read() as work:
            assert "budgets" not in work.belongings.count(ann.owner)

    def test_a_copy_has_all_but_secrets(self, store: Store, ann: Person) -> None:
        with store.read() as work:
            shown = {
                part: work.belongings.documents(part, ann.owner, limit=9)
                for part in SHOWN
            }
            connection = work.belongings.document(ann.connection)

        text = json.dumps([shown, connection], default=str)
        assert [part for part, (rows, _) in shown.items() if not rows] == []
        assert connection["google_address"] == "u1@gmail.com"
        for secret in ("refresh-", "access-", "cursor-", "token-u1", "verifier"):
            assert secret not in text

    def test_a_copy_comes_in_pieces(
        self, store: Store, acme: tables.Organization, ann: Person
    ) -> None:
        with store.begin() as work:
            for number in range(4):
                add_copy(work, ann.calendar, None, event_id=f"e{number}")
            work.commit()

        found, after = [], None
        with store.read() as work:
            for _ in range(3):
                rows, after = work.belongings.documents(
                    "copies", ann.owner, limit=2, after=after
                )
                found.append(len(rows))

        assert (found, after) == ([2, 2, 1], None)
        assert acme.id == ann.owner.organization_id

    def test_a_copy_has_the_meetings_that_another_leads_as_well(
        self, store: Store, ann: Person, ben: Person
    ) -> None:
        with store.begin() as work:
            add_copy(work, ann.calendar, ben.link, event_id="guest")
            work.commit()

        with store.read() as work:
            rows, _ = work.belongings.documents("links", ann.owner, limit=9)
            counted = work.belongings.count(ann.owner)
        assert [row["id"] for row in rows] == [ann.link.id, ben.link.id]
        assert counted["links"] == 1


def _another(
    work: UnitOfWork,
    organization: tables.Organization,
    person: Person,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> tables.Link:
    return store_rows.add_link(
        work,
        organization,
        calendar_id=person.calendar.id,
        state=LinkState.ACTIVE,
        **columns,
    )
