"""A person edits tasks of the simulated CRM in a browser."""

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
    dialog,
    fill,
    press,
    row,
)


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


def test_a_task_is_created_with_all_its_fields(page: Page, crm: crm_pages.Crm) -> None:
    crm_pages.open_tasks(page, crm)

    page.get_by_role("button", name="New task").click()
    fill(
        page,
        title="Kick-off",
        type="Call",
        day=TOMORROW,
        time="14:15",
        minutes="45",
        owner="Ben Berg",
        time_zone="Asia/Tokyo",
        location="Room 4",
        description="Agenda\n1. Offer",
        name_of_an_attendee="Xenia",
        address_of_an_attendee="x@example.com",
    )
    press(page, "Save")

    made = crm.only()
    assert {
        "title": "Kick-off",
        "type": "Call",
        "status": "open",
        "due_at": f"{TOMORROW}T05:15:00Z",
        "due_date": None,
        "duration_minutes": 45,
        "time_zone": "Asia/Tokyo",
        "owner_id": BEN,
        "location": "Room 4",
        "description": "Agenda\n1. Offer",
        "attendees": [
            {"email": "x@example.com", "name": "Xenia", "response": "needs_action"}
        ],
    }.items() <= made.items()


def test_a_new_task_is_ones_own_in_the_next_hour(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm_pages.open_tasks(page, crm)

    page.keyboard.press("n")
    page.keyboard.type("Quick one")
    page.keyboard.press("Enter")

    expect(row(page, "Quick one").get_by_role("button")).to_be_focused()
    made = crm.only()
    assert (made["owner_id"], made["time_zone"]) == (ANN, None)
    assert made["due_at"] == f"{TODAY}T09:00:00Z"  # ten in Berlin


def test_a_task_of_whole_days_is_created(page: Page, crm: crm_pages.Crm) -> None:
    crm_pages.open_tasks(page, crm)

    page.get_by_role("button", name="New task").click()
    dialog(page).get_by_label("All day").check()
    fill(page, title="Trade fair", day=TOMORROW, days="3")
    press(page, "Save")

    expect(row(page, "Trade fair")).to_contain_text("until 27 Nov")
    made = crm.only()
    assert (made["due_at"], made["due_date"]) == (None, TOMORROW)
    assert (made["duration_minutes"], made["duration_days"]) == (None, 3)


def test_a_task_needs_neither_day_nor_length(page: Page, crm: crm_pages.Crm) -> None:
    crm_pages.open_tasks(page, crm)

    page.get_by_role("button", name="New task").click()
    fill(page, title="Some day", day="", minutes="")
    press(page, "Save")

    made = crm.only()
    assert (made["due_at"], made["due_date"]) == (None, None)
    assert made["duration_minutes"] is None


def test_a_timed_task_becomes_one_of_whole_days_and_back(
    page: Page, crm: crm_pages.Crm
) -> None:
    task = crm.add("Change me")
    crm_pages.open_tasks(page, crm)

    crm_pages.open_task(page, "Change me")
    dialog(page).get_by_label("All day").check()
    press(page, "Save")
    all_day = crm.task(task)
    expect(row(page, "Change me")).to_contain_text("all day")
    crm_pages.open_task(page, "Change me")
    dialog(page).get_by_label("All day").uncheck()
    fill(page, time="12:00", minutes="30")
    press(page, "Save")

    assert (all_day["due_at"], all_day["due_date"]) == (None, TODAY)
    timed = crm.task(task)
    assert (timed["due_at"], timed["due_date"]) == (f"{TODAY}T11:00:00Z", None)
    assert timed["duration_minutes"] == 30


def test_an_edit_changes_what_was_edited_and_nothing_else(
    page: Page, crm: crm_pages.Crm
) -> None:
    before = crm.add(
        "Old title",
        due_at=f"{TODAY}T10:00:30.500+01:00",
        description="Agenda",
        google_event_id="e1",
    )
    crm_pages.open_tasks(page, crm)

    crm_pages.open_task(page, "Old title")
    fill(page, title="New title")
    press(page, "Save")

    after = crm.task(before)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"title", "version", "updated_at"}
    expect(row(page, "New title").get_by_role("button")).to_be_focused()


def test_saving_what_was_not_edited_leaves_the_version(
    page: Page, crm: crm_pages.Crm
) -> None:
    task = crm.add("Untouched", due_at=f"{TODAY}T10:00:30.500+01:00")
    crm_pages.open_tasks(page, crm)

    crm_pages.open_task(page, "Untouched")
    press(page, "Save")

    assert crm.task(task)["version"] == 1


def test_a_tick_completes_a_task_and_reopens_it(page: Page, crm: crm_pages.Crm) -> None:
    task = crm.add("Tick me")
    crm_pages.open_tasks(page, crm)
    box = page.get_by_role("checkbox", name="Completed: Tick me")

    box.check()
    expect(row(page, "Tick me").get_by_text("Completed", exact=True)).to_be_visible()
    completed = crm.task(task)["status"]
    box.uncheck()
    expect(row(page, "Tick me").get_by_text("Completed", exact=True)).to_be_hidden()

    assert completed == "completed"
    assert crm.task(task)["status"] == "open"


@pytest.mark.parametrize(
    ("button", "status"), [("Complete", "completed"), ("Cancel task", "cancelled")]
)
def test_the_dialog_closes_a_task_and_reopens_it(
    page: Page, crm: crm_pages.Crm, button: str, status: str
) -> None:
    task = crm.add("Act on me")
    crm_pages.open_tasks(page, crm)

    crm_pages.open_task(page, "Act on me")
    press(page, button)
    closed = crm.task(task)["status"]
    crm_pages.open_task(page, "Act on me")
    press(page, "Reopen")

    assert closed == status
    assert crm.task(task)["status"] == "open"


def test_a_task_is_deleted_after_a_second_thought(
    page: Page, crm: crm_pages.Crm
) -> None:
    task = crm.add("Delete me")
    crm_pages.open_tasks(page, crm)

    crm_pages.open_task(page, "Delete me")
    dialog(page).get_by_role("button", name="Delete").click()
    before = crm.task(task)["deleted"]
    press(page, "Really delete?")

    expect(row(page, "Delete me")).to_have_count(0)
    assert before is False
    assert crm.task(task)["deleted"] is True


def test_attendees_come_and_go_and_keep_their_answers(
    page: Page, crm: crm_pages.Crm
) -> None:
    stays = {"email": "x@example.com", "name": "Xenia", "response": "accepted"}
    goes = {"email": "y@example.com", "name": None, "response": "declined"}
    task = crm.add("Party", attendees=[stays, goes])
    crm_pages.open_tasks(page, crm)

    crm_pages.open_task(page, "Party")
    expect(dialog(page).get_by_text("is not going")).to_be_visible()
    dialog(page).get_by_role("button", name="Remove y@example.com").click()
    fill(page, address_of_an_attendee="Z@example.com")
    dialog(page).get_by_role("button", name="Add").click()
    press(page, "Save")

    comes = {"email": "z@example.com", "name": None, "response": "needs_action"}
    assert crm.task(task)["attendees"] == [stays, comes]


def test_what_is_missing_is_said_and_nothing_is_sent(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm_pages.open_tasks(page, crm)

    page.get_by_role("button", name="New task").click()
    dialog(page).get_by_role("button", name="Save").click()

    expect(dialog(page).get_by_role("alert")).to_have_text("Give the task a title.")
    expect(dialog(page).get_by_label("Title")).to_be_focused()
    fill(page, title="Has one", minutes="-5")
    dialog(page).get_by_role("button", name="Save").click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("minutes")
    assert crm.tasks() == []


def test_what_the_server_refuses_stays_open_with_the_reason(
    page: Page, crm: crm_pages.Crm
) -> None:
    crm_pages.open_tasks(page, crm)
    refused = {
        "detail": "Some fields are not valid.",
        "errors": [{"field": "due_at", "detail": "must be an instant"}],
    }
    page.route("**/app/tasks?", lambda route: route.fulfill(status=422, json=refused))

    page.get_by_role("button", name="New task").click()
    fill(page, title="Kept")
    dialog(page).get_by_role("button", name="Save").click()

    expect(dialog(page).get_by_role("alert")).to_have_text("Due at must be an instant.")
    expect(dialog(page).get_by_label("Day", exact=True)).to_be_focused()
    expect(dialog(page).get_by_label("Title")).to_have_value("Kept")


def test_the_keyboard_moves_between_tasks_and_opens_one(
    page: Page, crm: crm_pages.Crm
) -> None:
    for hour in ("10", "11"):
        crm.add(f"At {hour}", due_at=f"{TODAY}T{hour}:00:00Z")
    crm_pages.open_tasks(page, crm)

    row(page, "At 10").get_by_role("button").focus()
    page.keyboard.press("ArrowDown")
    expect(row(page, "At 11").get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")

    expect(dialog(page).get_by_label("Title")).to_have_value("At 11")
    page.keyboard.press("Escape")
    expect(row(page, "At 11").get_by_role("button")).to_be_focused()
