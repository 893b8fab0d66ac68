"""The sync settings: every one with what it means, and large changes told first."""

import dataclasses
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.adapters.store import tables
from shared.domain.settings import ConflictPolicy, Frequency, Settings
from tests import store_rows
from tests.unit.receiver import markup
from tests.unit.receiver.house import API, House, csrf_token
from webhook_receiver.pages import consequences, settings_form
from webhook_receiver.pages.consequences import Extent

PAGE = "/admin/settings"
DEFAULTS = Settings().to_document()
FORM = settings_form.values_of(
    {**DEFAULTS, "default_duration_minutes": {"Meeting": 60, "Call": 30}}, []
)
CALL_ON = {"synced-1": "yes"}


@pytest.fixture
def admin(house: House, acme: tables.Organization) -> FlaskClient:
    """Return a browser of an admin."""
    return house.signed_in(acme, "admin", None)


def save(browser: FlaskClient, *left_out: str, **changes: str) -> TestResponse:
    """Send the form with changes; return the page that follows."""
    fields = {k: v for k, v in {**FORM, **_named(changes)}.items() if k not in left_out}
    data = {"csrf_token": csrf_token(browser), **fields}
    return browser.post(PAGE, data=data, follow_redirects=True)


def _named(changes: dict[str, str]) -> dict[str, str]:
    """Return fields by their names on the page: `synced__1` stands for `synced-1`."""
    return {name.replace("__", "-"): value for name, value in changes.items()}


def settings(browser: FlaskClient) -> dict[str, Any]:
    """Return the settings as the API answers them."""
    answer: dict[str, Any] = browser.get(f"{API}/settings").get_json()
    return answer


def field(page: str, id_: str) -> str:
    """Return the tag of a field."""
    found = re.search(rf'<(?:input|select)[^>]*\bid="{re.escape(id_)}"[^>]*>', page)
    assert found
    return found.group()


@pytest.mark.parametrize("role", ["user", "operator"])
def test_only_admins_see_and_change_them(
    house: House, acme: tables.Organization, role: str
) -> None:
    browser = house.signed_in(acme, role)

    assert browser.get(PAGE).status_code == 403
    assert save(browser).status_code == 403


def test_nothing_is_saved_without_the_token_of_the_page(admin: FlaskClient) -> None:
    assert admin.post(PAGE, data=FORM).status_code == 403


class TestShowing:
    """The form as it is opened."""

    def test_every_setting_of_the_document_is_there(self, admin: FlaskClient) -> None:
        page = admin.get(PAGE).text

        for name in set(DEFAULTS) - {"task_types", "default_duration_minutes"}:
            assert f'name="{name}"' in page
        assert 'name="synced-0"' in page
        assert 'name="minutes-1"' in page

    def test_the_present_choices_are_made(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        house.caller(acme).put(
            "/settings", {"frequency": "hourly", "include_all_day": True}
        )

        page = admin.get(PAGE).text

        assert " checked" in field(page, "frequency-hourly")
        assert " checked" not in field(page, "frequency-realtime")
        assert " checked" in field(page, "include_all_day")
        assert " checked" not in field(page, "import_private_events")
        assert " checked" in field(page, "synced-0")
        assert 'value="90"' in field(page, "window_future_days")

    def test_last_modified_wins_is_recommended_and_nothing_else(
        self, admin: FlaskClient
    ) -> None:
        words = markup.text(admin.get(PAGE).text)

        assert "Last modified wins recommended" in words
        assert words.count("recommended") == 1

    def test_types_that_only_synced_tasks_have_are_offered(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        with house.store.begin() as work:
            store_rows.add_link(work, acme, task={"type": "Demo <b>"})
            work.commit()

        page = admin.get(PAGE).text

        assert "Demo &lt;b&gt;" in page
        assert " checked" not in field(page, "synced-2")


class TestSaving:
    """What is sent."""

    def test_a_small_change_is_saved_at_once(self, admin: FlaskClient) -> None:
        answer = save(
            admin,
            "create_tasks_from_google",
            conflict_policy="crm_wins",
            merge_disjoint_edits="yes",
            guest_notifications="all",
            mass_deletion_limit="7",
            minutes__1="45",
        )

        assert "The settings are saved." in answer.text
        assert settings(admin) == {
            **DEFAULTS,
            "create_tasks_from_google": False,
            "conflict_policy": "crm_wins",
            "merge_disjoint_edits": True,
            "guest_notifications": "all",
            "mass_deletion_limit": 7,
            "default_duration_minutes": {"Meeting": 60, "Call": 45},
        }

    def test_the_form_as_it_is_changes_nothing(self, admin: FlaskClient) -> None:
        answer = save(admin)

        (redirected,) = answer.history
        assert (redirected.status_code, redirected.location) == (303, PAGE)
        assert settings(admin) == DEFAULTS

    def test_another_type_may_be_added(self, admin: FlaskClient) -> None:
        save(admin, type__new=" Visit ", minutes__new="20")

        assert settings(admin)["task_types"] == {
            "Meeting": True,
            "Call": False,
            "Visit": False,
        }
        assert settings(admin)["default_duration_minutes"]["Visit"] == 20

    def test_a_broker_that_is_away_is_told_and_nothing_is_saved(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        house.connection(acme)
        house.is_broker_down = True

        answer = save(admin, confirmed="yes", **CALL_ON)

        assert "The settings are not saved." in answer.text
        assert settings(admin) == DEFAULTS


class TestMistakes:
    """What cannot be saved."""

    @pytest.mark.parametrize(
        ("changes", "id_", "told"),
        [
            ({"window_past_days": ""}, "window_past_days", "Enter a whole number."),
            ({"window_past_days": "x"}, "window_past_days", "Enter a whole number."),
            ({"window_past_days": "1.5"}, "window_past_days", "Enter a whole number."),
            ({"window_past_days": "-1"}, "window_past_days", "Must be 0 or more."),
            ({"window_future_days": "9999"}, "window_future_days", "Must be 3660 or"),
            ({"minutes-1": "99999"}, "minutes-1", "Must be 44640 or less."),
            ({"type-new": "V", "minutes-new": ""}, "minutes-new", "Enter a whole"),
            ({"type-new": "V" * 256}, "type-new", "Must have at most 255 characters."),
            ({"default_task_type": "Call"}, "default_task_type", "is switched off."),
        ],
    )
    def test_each_is_told_at_its_field_and_at_the_top(
        self, admin: FlaskClient, changes: dict[str, str], id_: str, told: str
    ) -> None:
        answer = save(admin, mass_deletion_limit="99", **changes)

        tag = field(answer.text, id_)
        assert answer.status_code == 422
        assert f"{id_}-mistake" in tag
        assert 'aria-invalid="true"' in tag
        assert re.search(rf'id="{id_}-mistake">[^<]*{re.escape(told)}', answer.text)
        assert re.search(rf'<a href="#{id_}">[^<]*{re.escape(told)}', answer.text)
        assert 'value="99"' in field(answer.text, "mass_deletion_limit")
        assert settings(admin) == DEFAULTS

    def test_an_unknown_choice_leads_to_the_first_one(self, admin: FlaskClient) -> None:
        answer = save(admin, frequency="daily")

        assert answer.status_code == 422
        assert 'href="#frequency-realtime"' in answer.text
        assert "One field is not right yet" in answer.text

    def test_several_are_counted(self, admin: FlaskClient) -> None:
        answer = save(admin, window_past_days="x", window_future_days="x")

        assert "2 fields are not right yet" in answer.text


class TestAsking:
    """Large changes."""

    def test_a_large_change_is_told_before_it_is_saved(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        for user in ("u1", "u2"):
            house.connection(acme, user)

        answer = save(admin, **CALL_ON)

        assert answer.status_code == 200
        assert "Save these settings?" in answer.text
        assert "Switching on Call" in answer.text
        assert "2 connected users" in answer.text
        assert settings(admin) == DEFAULTS

    def test_whoever_says_yes_saves_what_was_asked(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        house.connection(acme)
        asked = save(admin, **CALL_ON)
        hidden = dict(
            re.findall(
                r'<input type="hidden" name="([^"]+)" value="([^"]*)">', asked.text
            )
        )

        answer = admin.post(
            PAGE, data={**hidden, "confirmed": "yes"}, follow_redirects=True
        )

        assert "The settings are saved." in answer.text
        assert settings(admin)["task_types"] == {"Meeting": True, "Call": True}
        assert len(house.queued()) == 1

    def test_whoever_goes_back_finds_the_form_as_it_was_filled_in(
        self, admin: FlaskClient
    ) -> None:
        answer = save(admin, back="yes", mass_deletion_limit="7", **CALL_ON)

        assert " checked" in field(answer.text, "synced-1")
        assert 'value="7"' in field(answer.text, "mass_deletion_limit")
        assert settings(admin) == DEFAULTS

    def test_what_is_removed_is_counted_in_the_store(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        task = {"type": "Call", "status": "open", "due_date": None}
        with house.store.begin() as work:
            for number in range(3):
                store_rows.add_link(
                    work, acme, task=task, event_id=f"e{number}", state="active"
                )
            work.commit()
        house.caller(acme).put("/settings", {"task_types": {"Call": True}})

        answer = save(admin)

        assert "Switching off Call removes the events that we made for 3 tasks" in (
            answer.text
        )


EXTENT = Extent(connected=3, channels=2, made={"Meeting": 1}, made_all_day=4)
BOTH_ON = {"Meeting": True, "Call": True}
NOW_OFF = {"task_types": {"Meeting": False, "Call": True}, "default_task_type": "Call"}


class TestConsequences:
    """The sentences about large changes."""

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            (
                {},
                {"task_types": {"Meeting": True, "Call": True}},
                ["Switching on Call"],
            ),
            (
                {},
                NOW_OFF,
                ["made for 1 task of that type, without mail", "Switching on Call"],
            ),
            ({}, {"include_all_day": True}, ["brings them in from the calendars of 3"]),
            ({"include_all_day": True}, {}, ["those that we made for 4 tasks"]),
            ({}, {"import_private_events": True}, ["Private events of 3 connected"]),
            ({"import_private_events": True}, {}, ["do not become tasks any more"]),
            ({}, {"window_past_days": 60}, ["Meetings 60 instead of 30 days back"]),
            ({}, {"window_future_days": 9}, ["Meetings more than 9 days ahead"]),
            (
                {},
                {"frequency": Frequency.MANUAL},
                ["Real-time to manual: 2 watch channels are closed. Changes wait"],
            ),
            (
                {"frequency": Frequency.MANUAL},
                {"frequency": Frequency.HOURLY},
                ["Manual to hourly: Changes wait for the next run."],
            ),
            (
                {"frequency": Frequency.HOURLY},
                {},
                ["Hourly to real-time: what waited is synced at once for 3"],
            ),
            ({}, {"conflict_policy": ConflictPolicy.MANUAL}, []),
            ({}, {"mass_deletion_limit": 1, "create_tasks_from_google": False}, []),
        ],
    )
    def test_every_large_change_has_its_sentence(
        self, before: dict[str, Any], after: dict[str, Any], told: list[str]
    ) -> None:
        sentences = consequences.of_change(
            Settings(**before), Settings(**after), EXTENT
        )

        assert len(sentences) == len(told)
        for text in told:
            assert any(text in sentence for sentence in sentences)

    def test_one_is_counted_as_one(self) -> None:
        one = dataclasses.replace(EXTENT, connected=1, channels=1)

        (sentence,) = consequences.of_change(
            Settings(), Settings(frequency=Frequency.MANUAL), one
        )

        assert "1 watch channel is closed" in sentence
