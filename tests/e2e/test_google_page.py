"""A person uses the simulated Google in a browser: the week, and the consent page."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import google_page as week
from tests.e2e.google_page import BEN, MONDAY, TUESDAY, WEDNESDAY

SCOPES = (
    "openid",
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar.settings.readonly",
)


DAY_OUT = {
    "summary": "Day out",
    "start": {"date": TUESDAY},
    "end": {"date": WEDNESDAY},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[week.Google]:
    with week.serve(tmp_path_factory.mktemp("google")) as google:
        yield google


@pytest.fixture
def google(server: week.Google) -> week.Google:
    server.admin("POST", "clear")
    return server


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with week.launch(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with week.new_page(browser) as page:
        yield page


def test_the_first_page_leads_to_every_accounts_calendar(
    page: Page, google: week.Google
) -> None:
    page.goto(google.url)

    page.get_by_role("link", name="Ben Berg").click()

    expect(page).to_have_url(re.compile(r"/calendar\?account=ben@example\.com"))
    expect(page.get_by_text("Berlin")).to_be_visible()


def test_an_unknown_account_leads_back_to_the_choice(
    page: Page, google: week.Google
) -> None:
    page.goto(f"{google.url}/calendar?account=nobody@example.com")

    expect(page.get_by_role("alert")).to_contain_text("nobody@example.com")
    expect(page.get_by_role("link", name="Anna Abel")).to_be_visible()


def test_a_click_on_the_grid_creates_an_event(page: Page, google: week.Google) -> None:
    week.open_week(page, google)

    page.mouse.click(*week.point(page, TUESDAY, 10.1))
    week.dialog(page).get_by_label("Title").fill("Design review")
    week.save(page)

    expect(week.event(page, "Design review")).to_be_visible()
    assert google.times() == [(f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")]


def test_a_drag_on_the_grid_creates_an_event_of_that_length(
    page: Page, google: week.Google
) -> None:
    week.open_week(page, google)

    week.drag(page, week.point(page, WEDNESDAY, 13), week.point(page, WEDNESDAY, 15.5))
    week.dialog(page).get_by_label("Title").fill("Workshop")
    week.save(page)

    assert google.times() == [(f"{WEDNESDAY}T13:00", f"{WEDNESDAY}T15:30")]


def test_dragging_an_event_moves_it_and_keeps_its_length(
    page: Page, google: week.Google
) -> None:
    google.add("Move me", f"{TUESDAY}T10:00", f"{TUESDAY}T11:30")
    week.open_week(page, google)
    expect(week.event(page, "Move me")).to_be_visible()

    week.drag(page, week.point(page, TUESDAY, 10.5), week.point(page, WEDNESDAY, 14.5))

    week.until(google.times, [(f"{WEDNESDAY}T14:00", f"{WEDNESDAY}T15:30")])
    expect(week.day(page, WEDNESDAY).get_by_role("button")).to_have_count(1)


def test_dragging_the_lower_edge_changes_the_end_only(
    page: Page, google: week.Google
) -> None:
    google.add("Stretch me", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    week.open_week(page, google)
    expect(week.event(page, "Stretch me")).to_be_visible()
    x, y = week.point(page, TUESDAY, 11)

    week.drag(page, (x, y - 3), week.point(page, TUESDAY, 12))

    week.until(google.times, [(f"{TUESDAY}T10:00", f"{TUESDAY}T12:00")])


def test_escape_lets_go_of_a_dragged_event(page: Page, google: week.Google) -> None:
    google.add("Stay", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    week.open_week(page, google)
    expect(week.event(page, "Stay")).to_be_visible()

    page.mouse.move(*week.point(page, TUESDAY, 10.5))
    page.mouse.down()
    page.mouse.move(*week.point(page, WEDNESDAY, 12), steps=4)
    page.keyboard.press("Escape")
    page.mouse.up()

    expect(page.locator(".ghost")).to_have_count(0)
    expect(week.dialog(page)).to_be_hidden()
    assert google.times() == [(f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")]


def test_the_dialog_edits_every_field_and_stores_the_description_as_html(
    page: Page, google: week.Google
) -> None:
    google.add("Draft", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    week.open_week(page, google)

    week.event(page, "Draft").click()
    box = week.dialog(page)
    box.get_by_label("Title").fill("Kick-off")
    box.get_by_label("Starts on").fill(WEDNESDAY)
    box.get_by_label("Location").fill("Room 4")
    box.get_by_label("Description").fill("Tea & talk\n<2 hours")
    box.get_by_label("Address of a guest").fill(BEN)
    box.get_by_role("button", name="Add", exact=True).click()
    box.get_by_label("Visibility").select_option("Private")
    week.save(page)

    (stored,) = google.events()
    assert stored["summary"] == "Kick-off"
    assert stored["start"]["dateTime"].startswith(f"{WEDNESDAY}T10:00")
    assert stored["end"]["dateTime"].startswith(f"{WEDNESDAY}T11:00")
    assert stored["location"] == "Room 4"
    assert stored["description"] == "Tea &amp; talk<br>&lt;2 hours"
    assert stored["visibility"] == "private"
    assert [guest["email"] for guest in stored["attendees"]] == [BEN]


def test_a_stored_description_is_shown_as_text_and_left_alone_when_unchanged(
    page: Page, google: week.Google
) -> None:
    html = "One<br><b>Two</b> &amp; three"
    google.add("Notes", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00", description=html)
    week.open_week(page, google)

    week.event(page, "Notes").click()
    shown = week.dialog(page).get_by_label("Description").input_value()
    week.dialog(page).get_by_label("Title").fill("Notes II")
    week.save(page)

    assert shown == "One\nTwo & three"
    assert google.events()[0]["description"] == html


def test_an_event_becomes_all_day_and_timed_again(
    page: Page, google: week.Google
) -> None:
    google.add("Fair", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    week.open_week(page, google)

    week.event(page, "Fair").click()
    week.dialog(page).get_by_label("All day").check()
    week.dialog(page).get_by_label("Ends on").fill(WEDNESDAY)
    week.save(page)
    (as_days,) = google.events()
    week.event(page, "Fair").click()
    week.dialog(page).get_by_label("All day").uncheck()
    week.save(page)
    (as_times,) = google.events()

    assert as_days["start"] == {"date": TUESDAY}
    assert as_days["end"] == {"date": "2026-11-26"}
    assert as_times["start"]["dateTime"].startswith(f"{TUESDAY}T09:00")
    assert as_times["end"]["dateTime"].startswith(f"{WEDNESDAY}T10:00")


def test_deleting_takes_the_event_away(page: Page, google: week.Google) -> None:
    google.add("Cancel me", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    week.open_week(page, google)

    week.event(page, "Cancel me").click()
    week.dialog(page).get_by_role("button", name="Delete").click()

    expect(week.event(page, "Cancel me")).to_have_count(0)
    assert google.events() == []


def test_changes_from_elsewhere_show_up_without_a_reload(
    page: Page, google: week.Google
) -> None:
    week.open_week(page, google)

    added = google.add("From the CRM", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    expect(week.event(page, "From the CRM")).to_be_visible(timeout=3000)
    google.delete(added)

    expect(week.event(page, "From the CRM")).to_have_count(0, timeout=3000)


def test_what_the_page_does_is_no_clients_request(
    page: Page, google: week.Google
) -> None:
    google.admin("POST", "faults", status=500, match={"operation": "events.list"})
    week.open_week(page, google)

    page.mouse.click(*week.point(page, TUESDAY, 10.1))
    week.dialog(page).get_by_label("Title").fill("Design review")
    week.save(page)

    expect(week.event(page, "Design review")).to_be_visible()
    assert google.logged() == []


def test_the_mails_to_guests_can_be_read(page: Page, google: week.Google) -> None:
    google.call(
        "POST",
        body={**DAY_OUT, "attendees": [{"email": BEN}]},
        sendUpdates="all",
    )
    page.goto(google.url)

    page.get_by_role("link", name="Sent mails").click()

    expect(page.get_by_role("listitem")).to_contain_text("Invitation")
    expect(page.get_by_role("listitem")).to_contain_text(f"Day out to {BEN}")


def test_the_page_goes_on_after_its_sync_tokens_died(
    page: Page, google: week.Google
) -> None:
    week.open_week(page, google)
    google.add("Before", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    expect(week.event(page, "Before")).to_be_visible()

    google.admin("POST", "expire-sync-tokens")
    google.add("After", f"{TUESDAY}T12:00", f"{TUESDAY}T13:00")

    expect(week.event(page, "After")).to_be_visible()


def test_an_edit_of_an_event_that_moved_on_is_not_saved_and_says_so(
    page: Page, google: week.Google
) -> None:
    added = google.add("Contested", f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    week.open_week(page, google)
    week.event(page, "Contested").click()
    google.rename(added, "Theirs")

    week.dialog(page).get_by_label("Title").fill("Mine")
    week.save(page)

    expect(page.get_by_role("alert")).to_contain_text("changed elsewhere")
    expect(week.event(page, "Theirs")).to_be_visible()
    assert google.events()[0]["summary"] == "Theirs"


def test_titles_are_text_and_never_markup(page: Page, google: week.Google) -> None:
    title = "<img src=x onerror=\"document.title='owned'\">"

    google.add(title, f"{TUESDAY}T10:00", f"{TUESDAY}T11:00")
    week.open_week(page, google)

    expect(week.event(page, title)).to_contain_text(title)
    expect(page.locator("main img")).to_have_count(0)
    assert "owned" not in page.title()


def test_a_guest_answers_an_invitation(page: Page, google: week.Google) -> None:
    google.add(
        "Lunch",
        f"{TUESDAY}T12:00",
        f"{TUESDAY}T13:00",
        attendees=[{"email": BEN}],
    )
    week.open_week(page, google, BEN)

    week.event(page, "Lunch").click()
    week.dialog(page).get_by_role("button", name="Maybe").click()
    expect(week.dialog(page)).to_be_hidden()

    (answer,) = google.events()[0]["attendees"]
    assert answer["responseStatus"] == "tentative"
    expect(week.event(page, "Lunch")).to_have_accessible_name(re.compile("maybe"))


def test_one_of_a_series_moves_alone_and_all_are_renamed_together(
    page: Page, google: week.Google
) -> None:
    week.open_week(page, google)
    page.mouse.click(*week.point(page, MONDAY, 9.1))
    week.dialog(page).get_by_label("Title").fill("Stand-up")
    week.dialog(page).get_by_label("Repeats").select_option("Every weekday")
    week.save(page)
    expect(week.event(page, "Stand-up")).to_have_count(5)

    week.drag(page, week.point(page, TUESDAY, 9.5), week.point(page, TUESDAY, 11.5))
    week.until(lambda: google.times()[1], (f"{TUESDAY}T11:00", f"{TUESDAY}T12:00"))
    week.event(page, "Stand-up").nth(2).click()
    week.dialog(page).get_by_label("all events").check()
    week.dialog(page).get_by_label("Title").fill("Daily")
    week.save(page)

    expect(week.event(page, "Daily").nth(3)).to_be_visible()
    starts = [start for start, _ in google.times()]
    assert starts.count(f"{TUESDAY}T11:00") == 1
    assert sum(start.endswith("T09:00") for start in starts) == 4


def test_the_week_can_be_used_with_the_keyboard_alone(
    page: Page, google: week.Google
) -> None:
    week.open_week(page, google)

    page.keyboard.press("c")
    page.keyboard.type("Typed")
    page.keyboard.press("Enter")
    expect(week.event(page, "Typed")).to_be_visible()
    week.event(page, "Typed").focus()
    page.keyboard.press("Alt+ArrowDown")
    week.until(google.times, [(f"{TUESDAY}T10:15", f"{TUESDAY}T11:15")])
    expect(week.event(page, "Typed")).to_be_focused()
    page.keyboard.press("Alt+Shift+ArrowDown")

    week.until(google.times, [(f"{TUESDAY}T10:15", f"{TUESDAY}T11:30")])


def test_an_end_before_the_start_is_refused_in_the_dialog(
    page: Page, google: week.Google
) -> None:
    week.open_week(page, google)
    page.mouse.click(*week.point(page, TUESDAY, 10.1))

    week.dialog(page).get_by_label("Ends on").fill(MONDAY)
    week.dialog(page).get_by_role("button", name="Save").click()

    expect(week.dialog(page).get_by_role("alert")).to_have_text(
        "The end is before the start."
    )
    assert google.events() == []


def test_the_week_shows_overlaps_side_by_side_and_where_now_is(
    page: Page, google: week.Google
) -> None:
    google.add("Left", f"{TUESDAY}T10:00", f"{TUESDAY}T12:00")
    google.add("Right", f"{TUESDAY}T11:00", f"{TUESDAY}T13:00")

    week.open_week(page, google)

    left = week.event(page, "Left").bounding_box()
    right = week.event(page, "Right").bounding_box()
    now = week.day(page, TUESDAY).locator(".now").bounding_box()
    assert left is not None
    assert right is not None
    assert now is not None
    assert left["x"] + left["width"] <= right["x"] + 1
    assert now["y"] + 1 == pytest.approx(
        week.point(page, TUESDAY, 9 + 20 / 60)[1], abs=2
    )


def consent_address(google: week.Google, **query: str) -> str:
    """Return where an app sends the browser that takes it back to the first page."""
    google.admin(
        "POST",
        "clients",
        client_id="4711-page",
        client_secret="GOCSPX-page",  # noqa: S106 -- registered by these tests only
        redirect_uris=[f"{google.url}/"],
        name="Sync",
    )
    asked = {
        "client_id": "4711-page",
        "redirect_uri": f"{google.url}/",
        "response_type": "code",
        "scope": " ".join(SCOPES),
        **query,
    }
    return f"{google.url}/o/oauth2/v2/auth?{urlencode(asked)}"


def sent_back(page: Page, sign: str) -> dict[str, list[str]]:
    """Return the parameters the app was sent, once `sign` is among them."""
    page.wait_for_url(re.compile(rf"/\?.*{sign}="))
    return parse_qs(urlsplit(page.url).query)


def test_consent_is_given_in_the_browser_with_one_scope_unticked(
    page: Page, google: week.Google
) -> None:
    page.goto(consent_address(google, state="s-1"))

    page.get_by_role("link", name="Anna Abel").click()
    page.get_by_label("View your Calendar settings").uncheck()
    page.get_by_role("button", name="Continue").click()

    sent = sent_back(page, "code")
    assert sent["state"] == ["s-1"]
    assert sent["scope"] == [f"{SCOPES[0]} {SCOPES[1]}"]


def test_cancelling_consent_in_the_browser_is_a_denial(
    page: Page, google: week.Google
) -> None:
    page.goto(consent_address(google, login_hint=BEN))

    page.get_by_role("button", name="Cancel").click()

    assert sent_back(page, "error") == {"error": ["access_denied"]}
