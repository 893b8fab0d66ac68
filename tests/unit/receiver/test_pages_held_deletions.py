"""The page of held deletions: what was deleted, and what each choice does."""

import pytest
from flask.testing import FlaskClient

from shared.adapters.store import tables
from tests.unit.receiver.house import House
from tests.unit.receiver.test_api_held_deletions import hold
from tests.unit.receiver.test_pages_conflicts import send

PAGE = "/admin/held-deletions"


@pytest.fixture
def acme(house: House) -> tables.Organization:
    """Return an organization whose user u1 is connected."""
    organization = house.organization()
    house.user(organization, "u1", name="Ann Lee")
    house.connection(organization)
    return organization


@pytest.fixture
def admin(house: House, acme: tables.Organization) -> FlaskClient:
    """Return an admin's browser."""
    return house.signed_in(acme, "admin", None)


def state(house: House, held_id: int) -> str:
    """Return what was decided."""
    with house.found() as work:
        return work.held_deletions.by_id(held_id).state


@pytest.mark.parametrize(
    ("side", "approving", "rejecting"),
    [
        ("crm", "2 events are deleted in Google Calendar", "come back in the CRM"),
        ("google", "2 tasks are marked as cancelled", "come back in Google Calendar"),
    ],
)
def test_it_says_what_each_choice_does(
    house: House,
    acme: tables.Organization,
    admin: FlaskClient,
    side: str,
    approving: str,
    rejecting: str,
) -> None:
    hold(house, acme, side)

    page = admin.get(PAGE).text

    assert "Lunch 1" in page
    assert "Ann Lee" in page
    assert approving in page
    assert rejecting in page


def test_nothing_waits(admin: FlaskClient) -> None:
    assert "No deletion waits for you" in admin.get(PAGE).text


def test_approving_is_asked_first_with_the_count(
    house: House, acme: tables.Organization, admin: FlaskClient
) -> None:
    held_id = hold(house, acme)

    answer = send(admin, f"{PAGE}/{held_id}/approve")

    assert "the deletion of 2 meetings?" in answer.text
    assert "Lunch 2" in answer.text
    assert state(house, held_id) == "waiting"


def test_a_yes_approves(
    house: House, acme: tables.Organization, admin: FlaskClient
) -> None:
    held_id = hold(house, acme)

    answer = send(admin, f"{PAGE}/{held_id}/approve", confirmed="yes")

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert state(house, held_id) == "approved"
    assert "2 meetings are being brought in step" in admin.get(PAGE).text


def test_rejecting_restores(
    house: House, acme: tables.Organization, admin: FlaskClient
) -> None:
    held_id = hold(house, acme)

    send(admin, f"{PAGE}/{held_id}/reject")

    assert state(house, held_id) == "rejected"
    assert len(house.queued()) == 2


@pytest.mark.parametrize("call", ["approve", "reject"])
def test_a_decision_is_made_once(
    house: House, acme: tables.Organization, admin: FlaskClient, call: str
) -> None:
    held_id = hold(house, acme)
    send(admin, f"{PAGE}/{held_id}/reject")

    answer = send(admin, f"{PAGE}/{held_id}/{call}")

    assert answer.status_code == 303
    assert "decided on this deletion already" in admin.get(PAGE).text


def test_another_organizations_is_not_there(
    house: House, acme: tables.Organization
) -> None:
    held_id = hold(house, acme)
    other = house.signed_in(house.organization("other"), "admin", None)

    for call in ("approve", "reject"):
        assert send(other, f"{PAGE}/{held_id}/{call}").status_code == 404
    assert state(house, held_id) == "waiting"


def test_one_that_never_was_is_not_there(admin: FlaskClient) -> None:
    for number in ("999", str(2**63), "9" * 40):
        assert send(admin, f"{PAGE}/{number}/reject").status_code == 404


@pytest.mark.parametrize("role", ["user", "operator"])
def test_only_admins_decide(house: House, acme: tables.Organization, role: str) -> None:
    assert house.signed_in(acme, role).get(PAGE).status_code == 403
