"""Orphans and duplicates: the calls, and the page that shows and repairs them."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.adapters.store import tables
from shared.adapters.store.states import OrphanState
from shared.domain import messages
from tests.unit.receiver import markup
from tests.unit.receiver.house import NOW, House
from tests.unit.receiver.test_pages_conflicts import send

PAGE = "/admin/orphans"
FORGET = "forget the link"


@pytest.fixture
def acme(house: House) -> tables.Organization:
    """Return an organization with a user."""
    organization = house.organization()
    house.user(organization, "u1", name="Ann Lee")
    return organization


@pytest.fixture
def admin(house: House, acme: tables.Organization) -> FlaskClient:
    """Return an admin's browser."""
    return house.signed_in(acme, "admin", None)


def find(
    house: House,
    organization: tables.Organization,
    *found: dict[str, Any],
    **search: Any,  # noqa: ANN401 - columns
) -> list[int]:
    """Store what a search has found; return the ids."""
    rows = [
        tables.Orphan(
            **{
                "organization_id": organization.id,
                "kind": "dead-links",
                "crm_user_id": "u1",
                "task_id": "t1",
                "title": "Lunch",
                "repair": FORGET,
                **each,
            }
        )
        for each in found
    ]
    with house.store.begin() as work:
        work.searches.request(organization.id, NOW)
        work.searches.finish(organization.id, **{"now": NOW, **search})
        work.orphans.replace(organization.id, rows)
        work.commit()
    return [row.id for row in rows]


def states(house: House, ids: list[int]) -> list[str]:
    """Return what has become of them."""
    with house.found() as work:
        return [work.orphans.by_id(each).state for each in ids]


class TestSearching:
    """When it was searched, and with what result."""

    def test_before_the_first_search_it_says_what_to_do(
        self, admin: FlaskClient
    ) -> None:
        assert "Nobody has searched yet" in admin.get(PAGE).text

    def test_a_search_is_queued(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        answer = send(admin, f"{PAGE}/search")

        assert answer.status_code == 303
        (message,) = house.queued()
        assert message.subject == messages.SearchDue(organization_id=acme.id)
        page = admin.get(PAGE).text
        assert "The search has begun" in page
        assert "Running" in page

    def test_a_search_that_cannot_be_queued_has_failed(
        self, house: House, admin: FlaskClient
    ) -> None:
        house.is_broker_down = True

        send(admin, f"{PAGE}/search")

        text = markup.text(admin.get(PAGE).text)
        assert "Failed" in text
        assert "It could not be queued" in text

    def test_nothing_found_is_good_news(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        find(house, acme)

        text = markup.text(admin.get(PAGE).text)

        assert "Nothing was found" in text
        assert f"Last search{markup.moment(NOW)}" in text.replace(
            "Last search ", "Last search"
        )

    def test_calendars_that_could_not_be_read_are_told(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        find(house, acme, unread=["u1"])

        text = markup.text(admin.get(PAGE).text)

        assert "Calendars that could not be read" in text
        assert "Ann Lee" in text


class TestShowing:
    """What was found."""

    def test_each_kind_is_explained_with_its_repair(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        (ours, *_) = find(
            house,
            acme,
            {},
            {"kind": "duplicate-tasks", "like": "t9", "repair": None, "task_id": "t2"},
            {"kind": "duplicate-events", "task_id": None, "event_id": "e1"},
            {"kind": "events-without-task", "task_id": None, "title": None},
        )

        page = admin.get(PAGE).text

        text = markup.text(page)
        assert "Links to nothing" in text
        assert "Forget the link" in text
        assert "By hand: delete one of the two" in text
        assert f'name="ids" value="{ours}"' in page
        assert page.count('type="checkbox"') == 3
        assert 'href="/record?event_id=e1"' in page

    @pytest.mark.parametrize(
        ("state", "word"),
        [
            (OrphanState.CHOSEN, "Being repaired"),
            (OrphanState.REPAIRED, "Repaired"),
            (OrphanState.GONE, "In order by now"),
        ],
    )
    def test_what_is_dealt_with_cannot_be_chosen(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
        state: str,
        word: str,
    ) -> None:
        find(house, acme, {"state": state})

        page = admin.get(PAGE).text

        assert word in page
        assert 'type="checkbox"' not in page

    def test_a_repair_that_failed_says_why_and_can_be_chosen_again(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        find(house, acme, {"state": OrphanState.FAILED, "error": "the CRM is away"})

        page = admin.get(PAGE).text

        assert "the CRM is away" in page
        assert 'type="checkbox"' in page


class TestRepairing:
    """Having them repaired."""

    def test_it_is_asked_first_with_the_count(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        ids = find(house, acme, {}, {"task_id": "t2"}, {"repair": None})

        answer = send(admin, f"{PAGE}/repair", kind="dead-links")

        assert "<h1>Repair 2 findings?</h1>" in answer.text
        assert "Lunch: forget the link" in answer.text
        assert set(states(house, ids)) == {"found"}

    def test_the_ticked_ones_are_repaired(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        ids = find(house, acme, {}, {"task_id": "t2"})

        send(admin, f"{PAGE}/repair", confirmed="yes", ids=str(ids[0]))

        assert states(house, ids) == ["chosen", "found"]
        (message,) = house.queued()
        assert message.subject == messages.RepairDue(organization_id=acme.id)
        assert not message.is_live
        assert "The repair has begun" in admin.get(PAGE).text

    def test_all_of_a_kind_are_repaired(
        self, house: House, acme: tables.Organization
    ) -> None:
        ids = find(house, acme, {}, {"kind": "duplicate-events"})

        answer = house.caller(acme).post("/orphans/repair", {"kind": "dead-links"})

        assert (answer.status_code, answer.json) == (202, {"chosen": 1})
        assert states(house, ids) == ["chosen", "found"]

    def test_what_is_repaired_already_is_told(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        (row_id,) = find(house, acme, {"state": OrphanState.REPAIRED})

        send(admin, f"{PAGE}/repair", confirmed="yes", ids=str(row_id))

        assert "can be repaired any more" in admin.get(PAGE).text
        assert house.queued() == []

    def test_nothing_ticked_is_told(self, admin: FlaskClient) -> None:
        send(admin, f"{PAGE}/repair")

        assert "Tick what is to be repaired" in admin.get(PAGE).text

    def test_what_cannot_be_queued_can_be_chosen_again(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        ids = find(house, acme, {})
        house.is_broker_down = True

        send(admin, f"{PAGE}/repair", confirmed="yes", ids=str(ids[0]))

        assert states(house, ids) == ["failed"]

    def test_another_organizations_stay_as_they_are(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        other = house.organization("other")
        ids = find(house, other, {})

        send(admin, f"{PAGE}/repair", confirmed="yes", ids=str(ids[0]))

        assert states(house, ids) == ["found"]
        assert house.caller(acme).get("/orphans").json["items"] == []

    @pytest.mark.parametrize("body", [{}, {"ids": [1], "kind": "dead-links"}])
    def test_one_way_to_choose_is_given(
        self, house: House, acme: tables.Organization, body: dict[str, Any]
    ) -> None:
        assert house.caller(acme).post("/orphans/repair", body).status_code == 422


def test_orphans_are_listed_by_kind(house: House, acme: tables.Organization) -> None:
    (first, second) = find(house, acme, {}, {"kind": "duplicate-events"})
    get = house.caller(acme).get

    listed = get("/orphans").json
    of_kind = get("/orphans?kind=dead-links").json

    assert [item["id"] for item in listed["items"]] == [second, first]
    assert listed["search"]["state"] == "finished"
    assert [item["id"] for item in of_kind["items"]] == [first]


@pytest.mark.parametrize("role", ["user", "operator"])
def test_only_admins_search(house: House, acme: tables.Organization, role: str) -> None:
    browser = house.signed_in(acme, role)

    assert browser.get(PAGE).status_code == 403
    assert send(browser, f"{PAGE}/search").status_code == 403
