"""Whole stories in a browser: set up, connect, see what went wrong, and settle it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from shared.domain import identifiers
from tests.e2e import google_page
from tests.e2e.system import (
    ANN,
    BEN,
    CLEO,
    CLIENT,
    ORGANIZATION,
    Person,
    System,
    eventually,
)
from tests.e2e.test_scenario import new_event, new_task

DEADLINE_SECONDS = 30
SYNC_WAIT = 1000 * DEADLINE_SECONDS

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Return a system in which nothing is set up but the organization."""
    folder = tmp_path_factory.mktemp("stories")
    with System(
        folder,
        database_url=f"sqlite:///{folder}/sync.db",
        safety_poll_seconds=900,
        connected=(),
        has_google_app=False,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with google_page.launch(chromium) as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SYNC_WAIT)
    yield context
    if os.environ.get("STORY_PICTURES"):
        for page in context.pages:
            page.screenshot(path=os.environ["STORY_PICTURES"], full_page=True)
    context.close()


class Desk:
    """A person at a browser."""

    def __init__(self, context: BrowserContext, system: System) -> None:
        """Take the browser, and the product in front of it."""
        self._context = context
        self._system = system
        self.page: Page = context.new_page()

    def sit_down(self, role: str, person: Person | None = None) -> None:
        """Sign in."""
        self.page.goto(self._system.login_link(role, person.id if person else None))

    def open(self, path: str) -> None:
        """Open a page of the product."""
        self.page.goto(self._system.url + path)

    def press(self, name: str, *, within: Any = None) -> None:  # noqa: ANN401 - a locator
        """Press a button, or follow a link that looks like one."""
        place = within or self.page
        buttons = place.get_by_role("button", name=name, exact=True)
        buttons.or_(place.get_by_role("link", name=name, exact=True)).first.click()

    def consent(self, person: Person) -> None:
        """Get to what Google asks about an account; choose it, if need be."""
        choice = self.page.get_by_role("link", name=re.compile(person.account))
        question = self.page.get_by_role("button", name="Continue")
        expect(choice.or_(question).first).to_be_visible(timeout=SYNC_WAIT)
        if not question.is_visible():
            choice.click()

    def sees(self, text: str) -> None:
        """Wait until the page says so."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=SYNC_WAIT)

    def sees_in_the_end(self, path: str, text: str) -> None:
        """Load a page again until it says so."""

        def says() -> None:
            self.open(path)
            assert text in self.page.inner_text("main")

        eventually(says, DEADLINE_SECONDS, look_seconds=0.3)


@pytest.fixture
def desk(context: BrowserContext, system: System) -> Desk:
    return Desk(context, system)


@pytest.fixture
def connected(system: System) -> None:
    """Have the app set up and Ann connected, whatever stories were told before."""
    system.api("PUT", "/google-app", CLIENT)
    rows = system.api("GET", "/connections")["items"]
    active = {row["crm_user_id"] for row in rows if row["state"] == "active"}
    if ANN.id not in active:
        system.connect(ANN)


def connection_state(system: System) -> str:
    return str(system.connection(ANN)["state"])


def test_from_nothing_to_the_first_synced_meeting(desk: Desk, system: System) -> None:
    page = desk.page
    desk.sit_down("admin", ANN)
    desk.open("/admin/setup")
    page.get_by_label("Client ID").fill(CLIENT["client_id"])
    page.get_by_label("Client secret").fill(CLIENT["client_secret"])
    page.get_by_role("button", name="Save and check").first.click()
    desk.press("Connect Google Calendar")
    desk.consent(ANN)
    desk.press("Continue")
    desk.sees(f"It is connected as {ANN.account}")

    desk.open("/me")
    desk.press("Connect Google Calendar")
    desk.consent(ANN)
    desk.press("Continue")
    desk.sees("Your Google Calendar is connected")
    system.crm_call("POST", "/tasks", new_task(ANN, "The first one"))

    eventually(lambda: system.event(ANN, "The first one"), DEADLINE_SECONDS)
    desk.sees_in_the_end("/me", "The first one")


@pytest.mark.usefixtures("connected")
def test_a_denial_and_an_unticked_box_are_explained(desk: Desk) -> None:
    page = desk.page
    desk.sit_down("user", BEN)
    desk.open("/me")
    desk.press("Connect Google Calendar")
    desk.consent(BEN)
    desk.press("Cancel")
    desk.sees("You did not allow the access on Google's page")

    desk.press("Connect Google Calendar")
    desk.consent(BEN)
    page.get_by_label("View your Calendar settings").uncheck()
    desk.press("Continue")
    desk.sees("Google was not allowed enough")
    expect(page.get_by_text("Permission missing").first).to_be_visible()

    desk.press("Connect again")
    desk.consent(BEN)
    desk.press("Continue")
    desk.sees("Your Google Calendar is connected")


@pytest.mark.usefixtures("connected")
def test_the_wrong_calendar_is_corrected(desk: Desk, system: System) -> None:
    made = system.google.order("calendars", account=ANN.account, summary="Clients")
    system.api("POST", f"/connections/{system.connection(ANN)['id']}/sync")
    system.crm_call("POST", "/tasks", new_task(ANN, "On the wrong one"))
    eventually(lambda: system.event(ANN, "On the wrong one"), DEADLINE_SECONDS)
    desk.sit_down("user", ANN)
    desk.sees_in_the_end("/me", "Which calendar is synced")

    desk.page.get_by_role("combobox", name="Calendar").select_option("Clients")
    desk.press("Choose")
    desk.sees("Sync the calendar Clients?")
    desk.page.get_by_role("button", name=re.compile("^Choose Clients and move")).click()

    desk.sees("The calendar is chosen")
    eventually(lambda: assert_moved(system), DEADLINE_SECONDS)
    assert system.connection(ANN)["calendar_id"] == made["id"]
    system.api(
        "PATCH",
        f"/connections/{system.connection(ANN)['id']}",
        {"calendar_id": ANN.account},
    )
    eventually(lambda: system.event(ANN, "On the wrong one"), DEADLINE_SECONDS)


def assert_moved(system: System) -> None:
    assert system.events(ANN, "On the wrong one") == []


@pytest.mark.usefixtures("connected")
def test_a_conflict_is_made_and_settled(desk: Desk, system: System) -> None:
    system.settings(conflict_policy="manual")
    task = system.crm_call("POST", "/tasks", new_task(ANN, "Contested"))
    event = eventually(lambda: system.event(ANN, "Contested"), DEADLINE_SECONDS)
    eventually(system.assert_quiet)
    with system.paused("work"):
        latest = system.crm_call("GET", f"/tasks/{task['id']}")
        body = {"title": "As the CRM has it", "version": latest["version"]}
        system.crm_call("PATCH", f"/tasks/{task['id']}", body)
        system.google_call(
            ANN, "PATCH", f"/{event['id']}", {"summary": "As Google has it"}
        )
    desk.sit_down("user", ANN)
    desk.sees_in_the_end("/me/conflicts", "As Google has it")

    desk.press("Keep Google's version")

    eventually(lambda: system.task("As Google has it"), DEADLINE_SECONDS)
    desk.sees_in_the_end("/me/conflicts", "No conflict waits for a choice")
    system.settings(conflict_policy="last_modified_wins")


@pytest.fixture
def refused(system: System, connected: None) -> Iterator[str]:  # noqa: ARG001 - must be before
    """Have Google refuse the event of a task; return the task's title."""
    with system.paused("work"):
        task = system.crm_call("POST", "/tasks", new_task(ANN, "Refused"))
        event_id = identifiers.event_id(ORGANIZATION, task["id"], ANN.account, 0)
        match = {"event_id": event_id}
        system.google.order("faults", match=match, status=400, reason="invalid")
    yield str(task["title"])
    system.google.withdraw("faults")
    system.crm_call("DELETE", f"/tasks/{task['id']}")
    eventually(lambda: assert_gone(system), DEADLINE_SECONDS)


def assert_gone(system: System) -> None:
    assert system.events(ANN, "Refused") == []


def test_a_failing_sync_is_found_in_the_history_and_retried(
    desk: Desk, system: System, refused: str
) -> None:
    desk.sit_down("admin")
    desk.sees_in_the_end("/admin/history?state=failed", "Failed")
    desk.page.get_by_role("row").nth(1).get_by_role("link").click()
    desk.sees("What was reported")
    system.google.withdraw("faults")

    desk.press("Retry the failed records")

    eventually(lambda: system.event(ANN, refused), DEADLINE_SECONDS)
    desk.sees("A retry")
    expect(desk.page.get_by_text("Succeeded").first).to_be_visible(timeout=SYNC_WAIT)


def test_a_dead_letter_is_replayed(desk: Desk, system: System, refused: str) -> None:
    desk.sit_down("operator")
    desk.sees_in_the_end("/admin/dead-letters", "One by one")
    system.google.withdraw("faults")

    desk.page.get_by_role("button", name=re.compile("^Replay all")).first.click()
    desk.page.get_by_role("button", name=re.compile("^Replay 1 dead letter")).click()

    eventually(lambda: system.event(ANN, refused), DEADLINE_SECONDS)
    desk.sees_in_the_end("/admin/dead-letters", "There are no dead letters")


@pytest.mark.usefixtures("connected")
def test_access_that_was_taken_away_is_noticed_and_given_again(
    desk: Desk, system: System
) -> None:
    system.google.order("revoke", account=ANN.account)
    system.google.order("expire-access-tokens", account=ANN.account)
    system.crm_call("POST", "/tasks", new_task(ANN, "Meanwhile"))
    desk.sit_down("user", ANN)
    desk.sees_in_the_end("/me", "Must connect again")

    desk.press("Connect again")
    desk.consent(ANN)
    desk.press("Continue")

    desk.sees("Your Google Calendar is connected")
    eventually(lambda: system.event(ANN, "Meanwhile"), DEADLINE_SECONDS)
    assert connection_state(system) == "active"


@pytest.mark.usefixtures("connected")
def test_a_first_sync_is_looked_at_before_it_is_started(
    desk: Desk, system: System
) -> None:
    system.google_call(CLEO, "POST", body=new_event("Of Cleo"))
    desk.sit_down("user", CLEO)
    desk.open("/me")
    desk.press("Connect and look first")
    desk.consent(CLEO)
    desk.press("Continue")
    desk.sees("Nothing is synced yet")

    desk.press("See what the first sync will do")
    desk.sees_in_the_end("/me", "Tasks in the CRM")
    assert system.tasks("Of Cleo") == []
    desk.press("Start syncing")

    eventually(lambda: system.task("Of Cleo"), DEADLINE_SECONDS)
