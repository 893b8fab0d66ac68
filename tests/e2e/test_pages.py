"""Every page of the product in a browser: for everybody, in both themes, on a phone."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e import google_page
from tests.e2e.demo import Demo, started
from tests.screenshots import pages

DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
EVERY_PAGE = [
    pytest.param((role, user), path, id=name)
    for role, user, wanted in pages.WANTED
    for name, path in wanted.items()
]

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Return a demo in which something has happened on every page."""
    with started(tmp_path_factory.mktemp("pages") / "data") as demo:
        pages.prepare(demo)
        yield demo


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with google_page.launch(chromium) as browser:
        yield browser


Who = tuple[str, str | None]
"""A role, and a CRM user."""


class Screen:
    """A browser in front of the demo."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        """Take both."""
        self._browser = browser
        self._demo = demo

    @contextlib.contextmanager
    def showing(
        self,
        who: Who,
        path: str,
        **look: Any,  # noqa: ANN401 - Playwright's
    ) -> Iterator[Page]:
        """Open a page; whatever goes wrong in its scripts fails the test."""
        context = self._browser.new_context(**{"viewport": DESKTOP, **look})
        context.request.get(self._demo.login_link(*who))
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text))
        page.goto(f"{self._demo.said['receiver']}{path}")
        yield page
        context.close()
        assert problems == []


@pytest.fixture
def screen(browser: Browser, demo: Demo) -> Screen:
    return Screen(browser, demo)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("who", "path"), EVERY_PAGE)
def test_everybody_can_use_a_page(
    screen: Screen, who: Who, path: str, theme: str
) -> None:
    with screen.showing(who, path, color_scheme=theme) as page:
        found = Axe().run(page)

    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("who", "path"), EVERY_PAGE)
def test_a_page_fits_on_a_phone(screen: Screen, who: Who, path: str) -> None:
    with screen.showing(who, path, viewport=PHONE) as page:
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert overflow <= 0


@pytest.mark.parametrize(("who", "path"), EVERY_PAGE)
def test_a_page_needs_no_scripts(screen: Screen, who: Who, path: str) -> None:
    with screen.showing(who, path, java_script_enabled=False) as page:
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def test_the_keyboard_gets_to_the_content_at_once(screen: Screen) -> None:
    with screen.showing(("admin", None), "/admin/history") as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        expect(page.get_by_role("main")).to_be_focused()
