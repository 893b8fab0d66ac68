"""A person uses the simulated CRM where there is little room, or little to show."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import crm_page as crm_pages
from tests.e2e import google_page
from tests.e2e.crm_page import TODAY, YESTERDAY

WIDTH = 360


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
        page.set_viewport_size({"width": WIDTH, "height": 740})
        yield page


def test_today_is_at_the_top_however_little_follows(
    page: Page, crm: crm_pages.Crm
) -> None:
    for number in range(12):
        crm.add(f"Over {number}", due_at=f"{YESTERDAY}T10:00:00Z")
    crm.add("The only one")

    crm_pages.open_tasks(page, crm)

    heading = page.get_by_role("heading", name="Today").bounding_box()
    tasks = page.get_by_role("main").bounding_box()
    assert heading is not None
    assert tasks is not None
    assert heading["y"] == pytest.approx(tasks["y"], abs=3)


def test_messages_take_room_only_where_there_are_any(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm_pages.open_tasks(page, crm)
    messages = page.get_by_role("heading", name="Messages")
    expect(messages).to_be_hidden()

    crm.notify(title="Reconnect")

    expect(messages).to_be_visible()


def test_the_fields_of_an_attendee_show_what_belongs_there(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm.add("Duo", due_at=f"{TODAY}T10:00:00Z")
    crm_pages.open_tasks(page, crm)

    crm_pages.open_task(page, "Duo")

    address = crm_pages.dialog(page).get_by_label("Address of an attendee")
    name = crm_pages.dialog(page).get_by_label("Name of an attendee")
    for field in (address, name):
        box = field.bounding_box()
        assert box is not None
        assert box["width"] > WIDTH / 2
