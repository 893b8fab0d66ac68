"""A person uses the simulated Google on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e import google_page as week
from tests.e2e.google_page import ANNA, BEN, TUESDAY

WIDTH = 360
ONE_LINE = 30
LONG = {
    "summary": "On the road",
    "start": {"date": "2026-11-16"},
    "end": {"date": "2026-12-05"},
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
        page.set_viewport_size({"width": WIDTH, "height": 740})
        yield page


def cut(place: Locator) -> bool:
    """Say whether a text is wider than the room it has."""
    return bool(place.evaluate("e => e.scrollWidth > e.clientWidth"))


def test_a_long_bar_says_what_it_is_on_the_days_in_view(
    page: Page, google: week.Google
) -> None:
    google.call("POST", body=LONG)
    week.open_week(page, google)
    # Beyond the first day, where the bar begins.
    expect(page.locator(f'section[data-day="{TUESDAY}"]')).to_be_in_viewport()

    expect(page.locator(".bar .event-title")).to_be_in_viewport(ratio=1)


def test_a_guest_is_named_in_full(page: Page, google: week.Google) -> None:
    invited = [{"email": ANNA}, {"email": BEN}, {"email": "eve.long@example.com"}]
    google.add("Trio", f"{TUESDAY}T10:00", f"{TUESDAY}T12:00", attendees=invited)
    week.open_week(page, google)

    week.event(page, "Trio").click()

    names = week.dialog(page).locator(".guest-name")
    expect(names).to_have_count(len(invited))
    assert not any(map(cut, names.all()))


def test_the_kind_of_a_mail_is_one_word(page: Page, google: week.Google) -> None:
    times = {
        edge: {"dateTime": f"{TUESDAY}T{hour}:00:00Z"}
        for edge, hour in (("start", 10), ("end", 11))
    }
    body = {"summary": "Duo", "attendees": [{"email": BEN}], **times}
    event = google.call("POST", body=body, sendUpdates="all")
    google.call("DELETE", f"/{event['id']}", sendUpdates="all")

    page.goto(f"{google.url}/mails")

    kinds = [kind.bounding_box() for kind in page.locator(".mail-kind").all()]
    assert [bool(kind and kind["height"] < ONE_LINE) for kind in kinds] == [True, True]


def test_the_controls_take_two_lines_and_no_sideways_scrolling(
    page: Page, google: week.Google
) -> None:
    week.open_week(page, google)

    tops = [
        page.get_by_role("button", name=name, exact=True).bounding_box()
        for name in ("Create", "Today", "Week after")
    ]
    month = page.get_by_role("heading", name="November 2026").bounding_box()

    assert all(tops)
    assert month is not None
    create, today, later = (top["y"] for top in tops if top)
    assert create + ONE_LINE < today == pytest.approx(later, abs=2)
    assert month["y"] == pytest.approx(today, abs=10)
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH
