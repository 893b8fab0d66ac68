"""The users' page and its calls: who is connected, and who is invited."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from shared.adapters.store import tables
from shared.domain import messages
from shared.domain.messages import Queue
from tests import store_rows
from tests.unit.receiver.consenting import connection_of
from tests.unit.receiver.forms import add_item, job_of, send
from tests.unit.receiver.house import NOW, House


@pytest.fixture
def admin(house: House, acme: tables.Organization) -> FlaskClient:
    """Return the browser of an admin."""
    return house.signed_in(acme, "admin", None)


def people(house: House, acme: tables.Organization) -> None:
    """Store one user of each kind."""
    for user_id, name in (("u1", "Ann"), ("u2", "Ben"), ("u3", "Cleo"), ("u4", None)):
        house.user(acme, user_id, name=name)
    house.connection(acme, "u1", last_sync_at=NOW)
    revoked = {"state": "needs_reauthorization", "problem": "revoked"}
    house.connection(acme, "u2", google_address="ben@private.example", **revoked)


class TestCalls:
    """The list and the invitation in the API."""

    def test_those_who_must_connect_again_come_first(
        self, house: House, acme: tables.Organization
    ) -> None:
        people(house, acme)
        house.user(house.organization("other"), "u9")

        answer = house.caller(acme).get("/users").json

        assert [item["crm_user_id"] for item in answer["items"]] == [
            "u2",
            "u1",
            "u3",
            "u4",
        ]
        assert answer["total"] == 4
        assert answer["items"][0]["connection"]["problem"]["code"] == "revoked"
        assert answer["items"][3]["connection"] is None

    def test_pages_follow_one_another(
        self, house: House, acme: tables.Organization
    ) -> None:
        people(house, acme)
        caller = house.caller(acme)

        first = caller.get("/users?limit=2").json
        second = caller.get(f"/users?limit=2&cursor={first['next_cursor']}").json

        items = [*first["items"], *second["items"]]
        assert [item["crm_user_id"] for item in items] == ["u2", "u1", "u3", "u4"]
        assert second["next_cursor"] is None

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("search=ANN", ["u1"]),
            ("search=u4@exam", ["u4"]),
            ("search=private.exa", ["u2"]),
            ("search=u3", ["u3"]),
            ("search=%25", []),
            ("search=+", ["u2", "u1", "u3", "u4"]),
            ("state=attention", ["u2"]),
            ("state=active", ["u1"]),
            ("state=disconnected", ["u3", "u4"]),
            ("state=active&search=ben", []),
        ],
    )
    def test_people_are_found(
        self, house: House, acme: tables.Organization, query: str, found: list[str]
    ) -> None:
        people(house, acme)

        answer = house.caller(acme).get(f"/users?{query}").json

        assert [item["crm_user_id"] for item in answer["items"]] == found
        assert answer["total"] == len(found)

    def test_whoever_left_the_crm_is_listed_while_connected(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, "gone")
        house.connection(acme, "over", state="disconnected")

        (item,) = house.caller(acme).get("/users").json["items"]

        assert (item["crm_user_id"], item["email"]) == ("gone", None)
        assert item["is_active"] is False

    def test_errors_of_a_day_are_counted(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.user(acme)
        job = job_of(house, house.connection(acme))
        add_item(house, job, 1, outcome="failed")
        add_item(house, job, 2, outcome="failed", at=NOW - timedelta(hours=25))
        add_item(house, job, 3)

        (item,) = house.caller(acme).get("/users").json["items"]

        assert item["errors"] == 1

    def test_an_invitation_is_sent_by_a_worker(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.user(acme, "u3")

        answer = house.caller(acme).post("/users/u3/invite")

        assert answer.status_code == 202
        assert answer.json["crm_user_id"] == "u3"
        (due,) = house.queued()
        assert due.queue is Queue.RECORDS
        assert due.subject == messages.InvitationDue(
            organization_id=acme.id, crm_user_id="u3"
        )

    def test_whoever_must_connect_again_may_be_reminded(
        self, house: House, acme: tables.Organization
    ) -> None:
        people(house, acme)

        assert house.caller(acme).post("/users/u2/invite").status_code == 202

    def test_the_connected_the_inactive_and_the_unknown_are_not_invited(
        self, house: House, acme: tables.Organization
    ) -> None:
        people(house, acme)
        house.user(acme, "u5", active=False)
        caller = house.caller(acme)

        assert caller.post("/users/u1/invite").status_code == 409
        assert caller.post("/users/u5/invite").status_code == 409
        assert caller.post("/users/u9/invite").status_code == 404
        assert house.queued() == []

    def test_nobody_is_invited_before_the_app_is_set_up(self, house: House) -> None:
        acme = house.organization(google_client_id=None)
        house.user(acme)

        assert house.caller(acme).post("/users/u1/invite").status_code == 409


class TestPage:
    """What an admin sees, and does."""

    @pytest.mark.parametrize("role", ["user", "operator"])
    def test_it_is_for_admins_only(
        self, house: House, acme: tables.Organization, role: str
    ) -> None:
        row = house.connection(acme)
        browser = house.signed_in(acme, role)

        assert browser.get("/admin/users").status_code == 403
        for path in (f"{row.id}/sync", f"{row.id}/disconnect", "u1/invite"):
            assert send(browser, f"/admin/users/{path}").status_code == 403

    def test_everybody_is_shown_with_state_and_account(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
    ) -> None:
        people(house, acme)
        house.user(acme, "u5", name="Eve", active=False)
        house.connection(acme, "gone")

        page = admin.get("/admin/users").text

        assert page.index("Ben") < page.index("Ann") < page.index("Cleo")
        assert "Must connect again" in page
        assert "/help#access-revoked" in page
        assert "u4@example.com" in page
        assert "Not active in the CRM" in page
        assert "No user of the CRM any more" in page
        assert page.count(">Invite<") == 2
        assert page.count(">Remind<") == 1

    def test_calendars_and_waits_are_named(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
    ) -> None:
        house.user(acme, "u1", name="Ann")
        house.user(acme, "u2", name="Ben")
        house.user(acme, "u3", name="Cleo")
        row = house.connection(acme, "u1")
        house.connection(acme, "u2", state="paused", problem="not_started")
        house.connection(acme, "u3", state="paused")
        with house.store.begin() as work:
            store_rows.add_calendar(work, row, summary="Team")
            work.commit()

        page = admin.get("/admin/users").text

        assert "Team" in page
        assert "Not started" in page
        assert "Start syncing" in page
        assert "Events are being removed" in page

    def test_the_next_page_keeps_what_was_searched_for(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
    ) -> None:
        people(house, acme)

        page = admin.get("/admin/users?search=example&limit=2").text
        second = admin.get("/admin/users?search=example&limit=2&cursor=2").text

        assert "search=example&amp;limit=2&amp;cursor=2" in page
        assert "First page" in second

    def test_a_search_without_result_says_what_to_do(self, admin: FlaskClient) -> None:
        assert "Nobody fits" in admin.get("/admin/users?search=zzz").text

    def test_an_empty_crm_is_told_from_one_that_was_not_read(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
    ) -> None:
        unread = admin.get("/admin/users").text
        with house.store.begin() as work:
            work.organizations.by_id(acme.id).users_read_at = NOW
            work.commit()

        assert "are read within a minute" in unread
        assert "The CRM lists no users" in admin.get("/admin/users").text

    def test_without_the_app_the_page_leads_to_the_setup(self, house: House) -> None:
        acme = house.organization(google_client_id=None)
        house.user(acme)

        page = house.signed_in(acme, "admin", None).get("/admin/users").text

        assert 'href="/admin/setup"' in page
        assert ">Invite<" not in page

    def test_an_admin_invites(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
    ) -> None:
        people(house, acme)

        assert "Cleo gets an invitation" in send(admin, "/admin/users/u3/invite").text
        assert "connected already" in send(admin, "/admin/users/u1/invite").text
        assert send(admin, "/admin/users/u9/invite").status_code == 404

    def test_an_admin_syncs(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
    ) -> None:
        row = house.connection(acme)

        assert "has begun" in send(admin, f"/admin/users/{row.id}/sync").text
        assert len(house.queued()) == 1

    def test_an_admin_disconnects_after_seeing_whom(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
    ) -> None:
        house.user(acme, "u1", name="Ann")
        row = house.connection(acme, refresh_token=None)
        path = f"/admin/users/{row.id}/disconnect"

        asked = send(admin, path, events="keep").text
        before = connection_of(house, acme).state
        done = send(admin, path, events="keep", confirmed="yes").text

        assert "Disconnect Ann?" in asked
        assert before == "active"
        assert "is disconnected" in done
        assert connection_of(house, acme).state == "disconnected"

    def test_another_organizations_people_are_not_there(
        self,
        house: House,
        admin: FlaskClient,
    ) -> None:
        other = house.organization("other")
        house.user(other, "u7")
        row = house.connection(other, "u7")

        for path in (f"{row.id}/sync", f"{row.id}/disconnect", "u7/invite"):
            answer = send(admin, f"/admin/users/{path}", confirmed="yes")
            assert answer.status_code == 404
        assert house.queued() == []
