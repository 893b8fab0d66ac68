"""The pages of conflicts: both versions side by side, and a choice."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.adapters.store import tables
from shared.domain.messages import Trigger
from tests import store_rows
from tests.unit.receiver import markup
from tests.unit.receiver.house import NOW, House, csrf_token

PAGE = "/admin/conflicts"
OWN = "/me/conflicts"
DAY = {"first_on": "2026-03-05", "until_on": "2026-03-06"}
BEFORE = {
    "title": "Kick-off",
    "description": "",
    "location": "",
    "when": {
        "start": "2026-03-05T09:00:00+00:00",
        "end": "2026-03-05T10:00:00+00:00",
        "time_zone": "Europe/Berlin",
    },
    "attendees": ["ann@acme.example", "joe@other.example"],
    "cancelled": False,
}
CRM = {**BEFORE, "title": "Kick-off <b>big</b>", "location": "Room 4"}
GOOGLE = {**BEFORE, "when": DAY, "location": "Via video"}


@pytest.fixture
def acme(house: House) -> tables.Organization:
    """Return an organization with two users."""
    organization = house.organization()
    house.user(organization, "u1", name="Ann Lee")
    house.user(organization, "u2", name="Ben Roy")
    house.connection(organization, "u1")
    house.connection(organization, "u2", google_sub="2")
    return organization


def flag(
    house: House,
    organization: tables.Organization,
    user_id: str = "u1",
    task_id: str = "t1",
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> int:
    """Store a conflict."""
    values: dict[str, Any] = {
        "fields": ["location", "title", "when"],
        "baseline": BEFORE,
        "crm": CRM,
        "google": GOOGLE,
        "created_at": NOW,
        "updated_at": NOW,
    } | columns
    with house.store.begin() as work:
        link = store_rows.add_link(
            work,
            organization,
            task_id=task_id,
            event_id=f"e-{task_id}",
            state="conflict",
            task_changed_at=NOW,
        )
        row = work.conflicts.add(
            tables.Conflict(
                organization_id=organization.id,
                link_id=link.id,
                crm_user_id=user_id,
                **values,
            )
        )
        work.commit()
    return row.id


def send(browser: FlaskClient, path: str, **form: Any) -> Any:  # noqa: ANN401 - Flask's
    """Send a form of a page."""
    return browser.post(path, data={"csrf_token": csrf_token(browser), **form})


def choice(house: House, conflict_id: int) -> dict[str, Any] | None:
    """Return what was chosen."""
    with house.found() as work:
        return work.conflicts.by_id(conflict_id).choice


@pytest.fixture
def admin(house: House, acme: tables.Organization) -> FlaskClient:
    """Return an admin's browser."""
    return house.signed_in(acme, "admin", None)


@pytest.fixture
def ann(house: House, acme: tables.Organization) -> FlaskClient:
    """Return the browser of the user u1."""
    return house.signed_in(acme)


class TestShowing:
    """What there is to choose from."""

    def test_both_versions_stand_beside_what_was_agreed_on(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        flag(house, acme)

        page = admin.get(PAGE).text

        assert "Kick-off &lt;b&gt;big&lt;/b&gt;" in page
        assert "Thu 5 Mar 2026, 09:00 to 10:00" in page
        assert "Thu 5 Mar 2026, all day" in page
        assert "Ann Lee" in page
        assert page.count("differs-mark") == 3
        assert 'href="/record?task_id=t1"' in page

    def test_a_field_that_says_nothing_is_left_out(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        flag(house, acme)

        page = admin.get(PAGE).text

        assert "Description" not in page
        assert "ann@acme.example\njoe@other.example" in page

    def test_it_says_which_side_was_edited_last(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        flag(house, acme)
        self.edit_in_google(house, acme)

        text = markup.text(admin.get(PAGE).text)

        first, later = (markup.moment(NOW + timedelta(hours=n)) for n in (0, 1))
        assert f"The CRM's version is of {first}." in text
        assert f"Google's is of {later} (the later one)." in text

    @staticmethod
    def edit_in_google(house: House, acme: tables.Organization) -> None:
        """Note an edit of the event, an hour later."""
        with house.store.begin() as work:
            connection = work.connections.of_user(acme.id, "u1")
            assert connection is not None
            calendar = store_rows.add_calendar(work, connection)
            link = work.links.of_task(acme.id, "t1")
            assert link is not None
            link.calendar_id = calendar.id
            work.copies.add(
                tables.Copy(
                    calendar_id=calendar.id,
                    event_id="e-t1",
                    link_id=link.id,
                    etag='"1"',
                    document={},
                    changed_at=NOW + timedelta(hours=1),
                )
            )
            work.commit()

    def test_a_side_that_is_gone_is_told(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        flag(house, acme, google=None)
        flag(house, acme, task_id="t2", crm=None, baseline=None)

        text = markup.text(admin.get(PAGE).text)

        assert "It was deleted in Google." in text
        assert "It was deleted in the CRM." in text

    def test_what_is_settled_is_shown_on_request(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        flag(house, acme, state="resolved")

        assert "No conflict waits" in admin.get(PAGE).text
        page = admin.get(f"{PAGE}?state=resolved").text
        assert "Settled" in page
        assert 'value="crm"' not in page
        assert "Kick-off" in admin.get(f"{PAGE}?state=all").text
        assert admin.get(f"{PAGE}?state=lost").status_code == 400

    def test_an_admin_filters_by_user(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        first = flag(house, acme)
        second = flag(house, acme, "u2", "t2")

        page = admin.get(f"{PAGE}?user=u2").text

        assert f'id="conflict-{second}"' in page
        assert f'id="conflict-{first}"' not in page
        assert "No conflict fits" in admin.get(f"{PAGE}?user=u3").text

    def test_a_choice_that_is_being_carried_out_can_be_changed(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        flag(house, acme, choice={"title": "crm", "location": "crm", "when": "google"})

        page = admin.get(PAGE).text

        assert "Being settled" in page
        assert page.count(" checked>") == 3

    def test_one_that_was_never_linked_to_a_task_is_found_by_its_event(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        conflict_id = flag(house, acme)
        with house.store.begin() as work:
            row = work.conflicts.by_id(conflict_id)
            work.links.by_id(row.link_id).task_id = None
            work.commit()

        assert 'href="/record?event_id=e-t1"' in admin.get(PAGE).text


class TestRoles:
    """Who sees what."""

    def test_users_see_their_own(
        self, house: House, acme: tables.Organization, ann: FlaskClient
    ) -> None:
        mine = flag(house, acme)
        other = flag(house, acme, "u2", "t2")

        page = ann.get(OWN).text

        assert f'id="conflict-{mine}"' in page
        assert f'id="conflict-{other}"' not in page
        assert ann.get(PAGE).status_code == 403

    def test_an_admin_who_is_a_user_has_own_ones_too(
        self, house: House, acme: tables.Organization
    ) -> None:
        other = flag(house, acme, "u2", "t2")
        boss = house.signed_in(acme, "admin", "u1")

        assert f'id="conflict-{other}"' not in boss.get(OWN).text
        assert f'id="conflict-{other}"' in boss.get(PAGE).text

    def test_an_admin_who_is_no_user_has_none(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        flag(house, acme)

        assert "No conflict waits" in admin.get(OWN).text

    @pytest.mark.parametrize("path", [PAGE, OWN])
    def test_operators_see_none(
        self, house: House, acme: tables.Organization, path: str
    ) -> None:
        assert house.signed_in(acme, "operator", None).get(path).status_code == 403

    @pytest.mark.parametrize("organization", ["acme", "other"])
    def test_somebody_elses_is_not_there(
        self,
        house: House,
        acme: tables.Organization,
        ann: FlaskClient,
        organization: str,
    ) -> None:
        whose = acme if organization == "acme" else house.organization("other")
        conflict_id = flag(house, whose, "u2")

        answer = send(ann, f"{OWN}/{conflict_id}/settle", keep="crm", version="1")

        assert answer.status_code == 404
        assert choice(house, conflict_id) is None

    def test_another_site_cannot_choose(
        self, house: House, acme: tables.Organization, ann: FlaskClient
    ) -> None:
        conflict_id = flag(house, acme)

        answer = ann.post(f"{OWN}/{conflict_id}/settle", data={"keep": "crm"})

        assert answer.status_code == 403
        assert choice(house, conflict_id) is None


class TestSettling:
    """Choosing."""

    @pytest.mark.parametrize("side", ["crm", "google"])
    def test_one_side_is_kept(
        self, house: House, acme: tables.Organization, ann: FlaskClient, side: str
    ) -> None:
        conflict_id = flag(house, acme)

        answer = send(ann, f"{OWN}/{conflict_id}/settle", keep=side, version="1")

        assert answer.status_code == 303
        assert answer.headers["Location"] == f"{OWN}#conflict-{conflict_id}"
        assert set((choice(house, conflict_id) or {}).values()) == {side}
        assert "being carried out" in ann.get(OWN).text
        (message,) = house.queued()
        assert message.trigger is Trigger.MANUAL

    def test_fields_are_chosen_one_by_one(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        conflict_id = flag(house, acme)
        chosen = {"title": "crm", "location": "google", "when": "crm"}
        form = {f"field.{name}": side for name, side in chosen.items()}

        send(admin, f"{PAGE}/{conflict_id}/settle", keep="fields", version="1", **form)

        assert choice(house, conflict_id) == chosen

    @pytest.mark.parametrize(
        "form", [{"field.title": "crm"}, {"field.title": "both"}, {"version": "x"}]
    )
    def test_an_incomplete_choice_is_told(
        self,
        house: House,
        acme: tables.Organization,
        ann: FlaskClient,
        form: dict[str, str],
    ) -> None:
        conflict_id = flag(house, acme)

        send(ann, f"{OWN}/{conflict_id}/settle", **{"version": "1", **form})

        assert choice(house, conflict_id) is None
        assert "Choose a side for each field" in ann.get(OWN).text

    def test_a_late_choice_is_refused_with_what_is_there_now(
        self, house: House, acme: tables.Organization, ann: FlaskClient
    ) -> None:
        conflict_id = flag(house, acme, version=2)

        answer = send(ann, f"{OWN}/{conflict_id}/settle", keep="crm", version="1")

        assert answer.status_code == 303
        page = ann.get(OWN).text
        assert "was edited since" in page
        assert "Kick-off" in page
        assert choice(house, conflict_id) is None


class TestSeveral:
    """Choosing for several at once."""

    def test_it_is_asked_first_and_says_how_many(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        ids = [flag(house, acme), flag(house, acme, "u2", "t2")]

        answer = send(
            admin, f"{PAGE}/settle", keep="google", chosen=[f"{n}.1" for n in ids]
        )

        assert answer.status_code == 200
        assert "in 2 meetings" in answer.text
        assert f'name="chosen" value="{ids[1]}.1"' in answer.text
        assert [choice(house, n) for n in ids] == [None, None]

    def test_a_yes_settles_them_but_for_those_edited_since(
        self, house: House, acme: tables.Organization, ann: FlaskClient
    ) -> None:
        first, late = flag(house, acme), flag(house, acme, task_id="t2", version=2)

        send(
            ann,
            f"{OWN}/settle",
            keep="crm",
            confirmed="yes",
            chosen=[f"{first}.1", f"{late}.1"],
        )

        page = ann.get(OWN).text
        assert "1 choice is being carried out" in page
        assert "1 conflict was left as it is" in page
        assert choice(house, first) is not None
        assert choice(house, late) is None

    @pytest.mark.parametrize("form", [{"keep": "crm"}, {"chosen": "1.1"}])
    def test_nothing_ticked_is_told(
        self, admin: FlaskClient, form: dict[str, str]
    ) -> None:
        send(admin, f"{PAGE}/settle", **form)

        assert "Tick the conflicts first" in admin.get(PAGE).text
