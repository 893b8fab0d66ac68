"""The overview: whether everything is healthy, and what it is told from."""

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from shared.adapters.store import tables
from shared.adapters.store.states import Direction
from shared.domain import messages
from shared.domain.messages import Message, Queue, Trigger
from tests import store_rows
from tests.unit.receiver.forms import add_item, job_of
from tests.unit.receiver.house import NOW, House
from webhook_receiver.app import create_app
from webhook_receiver.pages import overview
from webhook_receiver.pages.charts import Bar, Chart


def arrive(
    house: House,
    connection: tables.Connection,
    *seconds: float,
    trigger: Trigger = Trigger.WEBHOOK,
) -> None:
    """Let changes made in Google reach the CRM so long after they were made."""
    with house.store.begin() as work:
        job = work.jobs.start(
            organization_id=connection.organization_id,
            connection_id=connection.id,
            trigger=trigger,
            direction=Direction.GOOGLE_TO_CRM,
            now=NOW,
        )
        work.commit()
    for number, took in enumerate(seconds):
        edited = (NOW - timedelta(seconds=took)).isoformat()
        google = {"title": "A", "edited_at": edited}
        add_item(house, job, number, google=google, at=NOW, action="update_task")


@pytest.fixture(autouse=True)
def uncounted(house: House) -> None:
    """Begin with a receiver that remembers no counts of another test."""
    house.app = create_app(house.services)
    house.app.testing = True


@pytest.fixture
def admin(house: House, acme: tables.Organization) -> FlaskClient:
    """Return the browser of an admin."""
    return house.signed_in(acme, "admin", None)


class TestSentence:
    """What the page leads with."""

    def test_an_empty_organization_is_told_how_to_begin(
        self, admin: FlaskClient
    ) -> None:
        page = admin.get("/admin").text

        assert "Nobody has connected" in page
        assert 'href="/admin/setup"' in page

    def test_a_quiet_one_is_in_step(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        house.connection(acme)

        page = admin.get("/admin").text

        assert "Everything is in step" in page
        assert "Nothing was changed in this time" in page

    def test_what_needs_attention_has_a_link_to_where_it_is_mended(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        let_everything_happen(house, acme)

        page = admin.get("/admin").text

        assert "things need attention" in page
        for text, path in (
            ("1 user must connect again", "/admin/users?state=needs_reauthorization"),
            ("1 held deletion waits", "/admin/held-deletions"),
            ("1 conflict waits", "/admin/conflicts"),
            ("1 record failed", "/admin/history?has_errors=true"),
            ("1 message failed for good", "/admin/dead-letters"),
            ("1 channel from Google expired", "/admin/users"),
        ):
            assert text in page
            assert f'href="{path}"' in page

    def test_an_operator_is_led_only_to_pages_of_operators(
        self, house: House, acme: tables.Organization
    ) -> None:
        let_everything_happen(house, acme)

        page = house.signed_in(acme, "operator", None).get("/admin").text

        assert "1 user must connect again" in page
        assert 'href="/admin/dead-letters"' in page
        assert 'href="/admin/users' not in page
        assert 'href="/admin/conflicts"' not in page

    def test_links_of_concerns_lead_somewhere(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        let_everything_happen(house, acme)

        for path in ("/admin/users?state=paused", "/admin/history?has_errors=true"):
            assert admin.get(path).status_code == 200

    def test_users_may_not_see_it(
        self, house: House, acme: tables.Organization
    ) -> None:
        assert house.signed_in(acme).get("/admin").status_code == 403

    def test_a_broker_that_does_not_answer_comes_first(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        house.connection(acme)
        house.is_broker_down = True

        page = admin.get("/admin").text

        assert "The broker does not answer" in page
        assert "1 thing needs attention" in page

    def test_a_long_queue_is_told(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(overview, "LONG_QUEUE", 1)
        row = house.connection(acme)
        due = messages.ConnectionDue(connection_id=row.id)
        for number in range(2):
            house.services.broker.publish(
                Message(
                    id=f"m{number}",
                    queue=Queue.RECORDS,
                    subject=due,
                    trigger=Trigger.MANUAL,
                    queued_at=NOW,
                )
            )

        assert "2 messages wait in one queue" in admin.get("/admin").text


class TestPush:
    """How quickly changes come from Google."""

    def test_half_and_nine_in_ten_are_told(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        arrive(house, house.connection(acme), *range(1, 11))

        push = house.caller(acme).get("/health").json["push"]

        assert push == {
            "arrived": 10,
            "missed": 0,
            "median_seconds": 5.5,
            "slow_seconds": 10.0,
        }
        assert "10 s" in admin.get("/admin").text

    def test_what_only_a_poll_found_was_missed(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        row = house.connection(acme)
        arrive(house, row, 1, 2, 3)
        arrive(house, row, 5, 31, trigger=Trigger.SCHEDULE)

        push = house.caller(acme).get("/health").json["push"]

        assert (push["arrived"], push["missed"]) == (4, 1)
        assert (
            "25% of the changes in Google were not pushed" in admin.get("/admin").text
        )

    def test_nothing_is_pushed_where_the_clock_decides(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        with house.store.begin() as work:
            work.organizations.by_id(acme.id).settings = {"frequency": "hourly"}
            work.commit()

        assert house.caller(acme).get("/health").json["push"] is None
        assert "collected on a schedule" in admin.get("/admin").text


class TestActivity:
    """The hours of a week."""

    def test_changes_are_counted_by_hour_and_side(
        self, house: House, acme: tables.Organization
    ) -> None:
        job = job_of(house, house.connection(acme))
        hours = timedelta(hours=1)
        add_item(house, job, 1, at=NOW)
        add_item(house, job, 2, at=NOW, action="create_event+update_task")
        add_item(house, job, 3, at=NOW - 3 * hours, outcome="failed")
        add_item(house, job, 4, at=NOW - 3 * hours, outcome="unchanged", action="none")
        add_item(house, job, 5, at=NOW - 8 * 24 * hours)
        other = house.organization("other")
        add_item(house, job_of(house, house.connection(other)), 6, at=NOW)

        found = house.caller(acme).get("/activity").json["hours"]

        counts = [(h["to_google"], h["to_crm"], h["errors"]) for h in found]
        assert len(counts) == 168
        assert counts[-1] == (2, 1, 0)
        assert counts[-4] == (0, 0, 1)
        assert sum(map(sum, counts)) == 4

    def test_what_was_counted_is_shown_again_for_a_minute(
        self, house: House, acme: tables.Organization
    ) -> None:
        job = job_of(house, house.connection(acme))
        caller = house.caller(acme)

        def to_google() -> int:
            hours = caller.get("/activity").json["hours"]
            return sum(hour["to_google"] for hour in hours)

        assert to_google() == 0
        add_item(house, job, 1, at=NOW)
        assert to_google() == 0
        house.clock.moment += timedelta(minutes=1)
        assert to_google() == 1

    def test_the_day_that_has_just_begun_has_its_name_below_it(
        self, house: House, acme: tables.Organization
    ) -> None:
        midnight = NOW.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        house.clock.moment = midnight + timedelta(hours=2)
        add_item(house, job_of(house, house.connection(acme)), 1, at=midnight)

        page = house.signed_in(acme, "admin", None).get("/admin").text

        week = page.partition("Changes in the last 7 days")[2]
        days = re.findall(r">(\w{3})</text>", week)
        assert days[-1] == f"{midnight:%a}"
        assert len(days) == 7

    def test_the_charts_have_their_numbers_in_a_table(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        job = job_of(house, house.connection(acme))
        for number in range(3):
            add_item(house, job, number, at=NOW)

        page = admin.get("/admin").text

        assert page.count("<svg") == 2
        assert "To Google: 3, To the CRM: 0, Failed: 0" in page
        assert page.count("The numbers") == 2


class TestCharts:
    """What is drawn."""

    @pytest.mark.parametrize("top", [0, 1, 4, 5, 42, 999, 12345])
    def test_a_chart_carries_no_style_and_no_script(self, top: int) -> None:
        svg = chart(top).svg
        root = ET.fromstring(svg)  # noqa: S314 - our own

        kinds = {each.tag.rpartition("}")[2] for each in root.iter()}
        assert not kinds & {"style", "script", "defs", "desc", "title"}
        assert "style=" not in svg
        assert root.attrib["role"] == "img"
        ticks = [int(t) for t in texts(root) if t.isdecimal()]
        assert 2 <= len(ticks) <= 6
        assert ticks[0] == 0
        assert ticks[-1] >= top

    def test_labels_are_whole(self) -> None:
        assert "18:00" in texts(ET.fromstring(chart(3).svg))  # noqa: S314 - our own


def chart(top: int) -> Chart:
    """Return a chart of two bars."""
    bars = (
        Bar(label="one", tick="18:00", counts=(top, 0)),
        Bar(label="two", tick="", counts=(0, 0)),
    )
    return Chart(title="Changes", series=("To <Google>", "Failed"), bars=bars)


def texts(root: ET.Element) -> list[str]:
    """Return what is written in a drawing."""
    return [each.text or "" for each in root.iter() if each.tag.endswith("}text")]


def let_everything_happen(house: House, acme: tables.Organization) -> None:
    """Let one of each thing need attention."""
    row = house.connection(acme)
    revoked: dict[str, Any] = {"state": "needs_reauthorization", "problem": "revoked"}
    house.connection(acme, "u2", **revoked)
    add_item(house, job_of(house, row), 1, outcome="failed", at=NOW)
    with house.store.begin() as work:
        calendar = store_rows.add_calendar(work, row)
        work.channels.add(
            tables.Channel(
                id="late",
                calendar_id=calendar.id,
                state="open",
                created_at=NOW,
                expires_at=NOW,
            )
        )
        store_rows.add_held_deletion(work, row, created_at=NOW)
        work.conflicts.add(
            tables.Conflict(
                organization_id=acme.id,
                link_id=store_rows.add_link(work, acme).id,
                crm_user_id="u1",
                fields=["title"],
                created_at=NOW,
                updated_at=NOW,
            )
        )
        work.dead_letters.file(
            tables.DeadLetter(
                organization_id=acme.id,
                delivery_id="d1",
                queue="records",
                reason="mapping",
                error="no start",
                attempts=1,
                message="{}",
                created_at=NOW,
            )
        )
        work.commit()
