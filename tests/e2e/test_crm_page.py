"""A person uses the simulated CRM in a browser: what it shows and how it follows."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import crm_page as crm_pages
from tests.e2e import google_page
from tests.e2e.crm_page import (
    ANN,
    BEN,
    TODAY,
    TOMORROW,
    WITHIN_A_SECOND,
    YESTERDAY,
    fill,
    press,
    row,
)

PHONE_WIDTH = 390


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[crm_pages.Crm]:
    with crm_pages.serve(tmp_path_factory.mktemp("crm")) as crm:
        yield crm


@pytest.fixture
def crm(server: crm_pages.Crm) -> crm_pages.Crm:
    server.simulator.order("clear")
    return server


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with google_page.launch(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with google_page.new_page(browser) as page:
        yield page


# -- where one is -----------------------------------------------------------------


def test_the_first_page_leads_to_every_users_tasks(
    page: Page, crm: crm_pages.Crm
) -> None:
    page.goto(crm.url)

    page.get_by_role("link", name="Ben Berg").click()

    expect(page).to_have_url(re.compile(r"/tasks\?user=ben$"))
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()


def test_an_unknown_user_leads_back_to_the_choice(
    page: Page, crm: crm_pages.Crm
) -> None:
    page.goto(f"{crm.url}/tasks?user=nobody")

    expect(page.get_by_role("alert")).to_contain_text("nobody")
    expect(page.get_by_role("link", name="Ann Abel")).to_be_visible()


def test_one_can_go_on_as_somebody_else(page: Page, crm: crm_pages.Crm) -> None:
    crm.add("Of Ben", owner_id=BEN)
    crm_pages.open_tasks(page, crm)

    page.get_by_label("Act as").select_option("Ben Berg")

    expect(row(page, "Of Ben")).to_be_visible()


# -- the list ---------------------------------------------------------------------


def test_tasks_stand_under_their_days_in_order(page: Page, crm: crm_pages.Crm) -> None:
    crm.add("Second", due_at=f"{TODAY}T11:00:00Z")
    crm.add("First", due_at=f"{TODAY}T10:00:00Z")
    crm.add("Whole day", due_at=None, due_date=TODAY)
    crm.add("Next day", due_at=f"{TODAY}T23:30:00Z")  # half past twelve in Berlin
    crm.add("Some day", due_at=None)

    crm_pages.open_tasks(page, crm)

    of_today = crm_pages.day(page, "Today Tuesday 24 November").get_by_role("listitem")
    expect(of_today).to_have_text(
        [re.compile("all day Whole day"), re.compile("First"), re.compile("Second")]
    )
    tomorrow = crm_pages.day(page, "Tomorrow Wednesday 25 November")
    expect(tomorrow).to_contain_text("00:30 \N{EN DASH} 01:30")
    expect(crm_pages.day(page, "No day")).to_contain_text("Some day")


def test_times_are_those_of_whoever_looks(page: Page, crm: crm_pages.Crm) -> None:
    crm.add("Early", owner_id=BEN)

    crm_pages.open_tasks(page, crm, BEN)

    expect(row(page, "Early")).to_contain_text("04:00 \N{EN DASH} 05:00")


def test_a_row_tells_what_matters(page: Page, crm: crm_pages.Crm) -> None:
    crm.add(
        "Kick-off",
        location="Room 4",
        duration_minutes=90,
        attendees=[{"email": "x@example.com"}, {"email": "y@example.com"}],
        google_event_id="e1",
    )

    crm_pages.open_tasks(page, crm)

    for detail in ("Meeting", "1 h 30 min", "Room 4", "2 attendees", "Google"):
        expect(row(page, "Kick-off")).to_contain_text(detail)


def test_what_should_have_been_done_is_overdue(page: Page, crm: crm_pages.Crm) -> None:
    crm.add("Late", due_at=f"{YESTERDAY}T09:00:00Z")
    crm.add("Done", due_at=f"{YESTERDAY}T09:00:00Z", status="completed")

    crm_pages.open_tasks(page, crm)

    expect(row(page, "Late")).to_contain_text("overdue")
    expect(row(page, "Done")).not_to_contain_text("overdue")


def test_text_of_a_task_is_never_markup(page: Page, crm: crm_pages.Crm) -> None:
    title = "<img src=x onerror=alert(1)>"
    crm.add(title, location="<b>Room</b>")
    crm.notify(title=title, body=title, link="javascript:alert(1)")

    crm_pages.open_tasks(page, crm)

    expect(row(page, title)).to_contain_text("<b>Room</b>")
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_role("link", name="Open")).to_have_count(0)


def test_tasks_can_be_filtered_by_status(page: Page, crm: crm_pages.Crm) -> None:
    for status in ("open", "completed", "cancelled"):
        crm.add(f"Is {status}", status=status)
    crm_pages.open_tasks(page, crm)
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(3)

    for status in ("Completed", "Cancelled"):
        page.get_by_role("checkbox", name=status, exact=True).uncheck()

    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    expect(row(page, "Is open")).to_be_visible()
    page.get_by_role("checkbox", name="Open", exact=True).uncheck()
    expect(page.get_by_text("No task has one of the chosen statuses.")).to_be_visible()


def test_everybodys_tasks_come_with_their_owners(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm.add("Of Ben", owner_id=BEN)
    crm_pages.open_tasks(page, crm)
    expect(page.get_by_text("There is no task on these days.")).to_be_visible()

    page.get_by_label("Everybody's").check()

    expect(row(page, "Of Ben")).to_contain_text("Ben Berg")


def test_days_far_away_can_be_had(page: Page, crm: crm_pages.Crm) -> None:
    crm.add("Long ago", due_at="2026-10-01T09:00:00Z")
    crm.add("Far ahead", due_at="2027-02-10T09:00:00Z")
    crm_pages.open_tasks(page, crm)
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(0)

    page.get_by_role("button", name="Earlier days").click()
    page.get_by_role("button", name="Later days").click()

    expect(row(page, "Long ago")).to_be_visible()
    expect(row(page, "Far ahead")).to_be_visible()


# -- what happens elsewhere -------------------------------------------------------


def test_changes_made_elsewhere_show_within_a_second(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm_pages.open_tasks(page, crm)

    task = crm.add("Appears")
    expect(row(page, "Appears")).to_be_visible(timeout=WITHIN_A_SECOND)
    crm.change(task, title="Is renamed", due_at=f"{TOMORROW}T09:00:00Z")
    tomorrow = crm_pages.day(page, "Tomorrow Wednesday 25 November")
    expect(tomorrow).to_contain_text("Is renamed", timeout=WITHIN_A_SECOND)
    crm.delete(task)

    expect(row(page, "Is renamed")).to_have_count(0, timeout=WITHIN_A_SECOND)


def test_a_change_elsewhere_leaves_the_focus_where_it_is(
    page: Page, crm: crm_pages.Crm
) -> None:
    task = crm.add("Focused")
    crm_pages.open_tasks(page, crm)
    row(page, "Focused").get_by_role("button").focus()

    crm.change(task, location="Room 5")

    expect(row(page, "Focused")).to_contain_text("Room 5")
    expect(row(page, "Focused").get_by_role("button")).to_be_focused()


def test_a_change_made_elsewhere_meanwhile_is_not_overwritten(
    page: Page, crm: crm_pages.Crm
) -> None:
    task = crm.add("Contested")
    crm_pages.open_tasks(page, crm)
    crm_pages.open_task(page, "Contested")

    crm.change(task, title="Theirs")
    fill(page, title="Mine")
    press(page, "Save")

    expect(page.get_by_role("alert")).to_contain_text("was changed elsewhere")
    expect(row(page, "Theirs")).to_be_visible()
    assert crm.task(task)["title"] == "Theirs"


def test_a_task_deleted_elsewhere_meanwhile_stays_deleted(
    page: Page, crm: crm_pages.Crm
) -> None:
    task = crm.add("Doomed")
    crm_pages.open_tasks(page, crm)
    crm_pages.open_task(page, "Doomed")

    crm.delete(task)
    fill(page, title="Alive")
    press(page, "Save")

    expect(page.get_by_role("alert")).to_contain_text("was deleted elsewhere")
    expect(row(page, "Doomed")).to_have_count(0)


def test_messages_come_are_replaced_and_are_dismissed(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm_pages.open_tasks(page, crm)
    expect(page.get_by_text("Nothing to read.")).to_be_visible()
    messages = page.get_by_role("complementary", name="Messages")

    crm.notify(title="Reconnect", key="k", link="https://sync.example.com/me")
    expect(messages.get_by_role("heading", name="Reconnect")).to_be_visible()
    crm.notify(title="Connect again", key="k", link="https://sync.example.com/me")
    expect(messages.get_by_role("listitem")).to_contain_text("Connect again")
    link = messages.get_by_role("link", name="Open")
    expect(link).to_have_attribute("href", "https://sync.example.com/me")
    messages.get_by_role("button", name="Dismiss: Connect again").click()

    expect(page.get_by_text("Nothing to read.")).to_be_visible()
    shown = crm.simulator.ask("notifications", user_id=ANN)
    assert shown == {"notifications": []}


def test_the_page_finds_back_to_a_server_that_was_away(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm_pages.open_tasks(page, crm)

    page.route("**/app/**", lambda route: route.abort())
    expect(page.get_by_role("status")).to_contain_text("does not answer")
    page.unroute("**/app/**")
    crm.add("Back again")

    expect(row(page, "Back again")).to_be_visible()


# -- how it looks -----------------------------------------------------------------


def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    page: Page, crm: crm_pages.Crm
) -> None:
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 844})
    crm.add("A title that is long enough to need more than one line on a phone")
    crm.notify(title="Reconnect")

    crm_pages.open_tasks(page, crm)
    page.get_by_role("button", name="New task").click()
    fill(page, title="From the phone")
    press(page, "Save")

    expect(row(page, "From the phone")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == PHONE_WIDTH


def test_it_is_dark_where_the_system_is(page: Page, crm: crm_pages.Crm) -> None:
    page.emulate_media(color_scheme="dark")
    crm_pages.open_tasks(page, crm)

    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert (dark, light) == ("rgb(15, 20, 19)", "rgb(243, 246, 245)")


def test_every_control_has_a_name(page: Page, crm: crm_pages.Crm) -> None:
    crm.add("Named", attendees=[{"email": "x@example.com"}])
    crm.notify(title="Reconnect")
    crm_pages.open_tasks(page, crm)
    crm_pages.open_task(page, "Named")

    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea")]
            .filter((e) => !e.ariaLabel && !e.labels?.length && !e.textContent.trim())
            .map((e) => e.outerHTML)"""
    )

    assert nameless == []
