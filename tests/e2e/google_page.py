"""Drives the simulated Google in a browser, as a person, and beside it over HTTP."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import requests
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ANNA = "anna@example.com"
BEN = "ben@example.com"
MONDAY = "2026-11-23"
TUESDAY = "2026-11-24"
WEDNESDAY = "2026-11-25"
NOW = datetime(2026, 11, 24, 8, 20, tzinfo=UTC)  # 9:20 in Berlin
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DEADLINE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Google:
    """The simulator in a process of its own, driven over HTTP."""

    url: str

    def admin(self, method: str, path: str, **body: object) -> None:
        """Call an admin endpoint."""
        answer = requests.request(
            method, f"{self.url}/_admin/{path}", json=body, timeout=10
        )
        answer.raise_for_status()

    def logged(self) -> list[str]:
        """Return the operations that clients asked for."""
        answer = requests.get(f"{self.url}/_admin/requests", timeout=10)
        return [row["operation"] for row in answer.json()["requests"]]

    def call(
        self,
        method: str,
        path: str = "",
        account: str = ANNA,
        body: dict[str, Any] | None = None,
        **query: str,
    ) -> dict[str, Any]:
        """Call the Calendar API on an account's primary calendar."""
        answer = requests.request(
            method,
            f"{self.url}/calendar/v3/calendars/{quote(account)}/events{path}",
            headers={"Authorization": f"Bearer demo-{account}"},
            params=query,
            json=body,
            timeout=10,
        )
        answer.raise_for_status()
        document: dict[str, Any] = answer.json() if answer.content else {}
        return document

    def events(self, account: str = ANNA) -> list[dict[str, Any]]:
        """Return what an account sees in the week, in the order of time."""
        answer = self.call(
            "GET",
            account=account,
            singleEvents="true",
            orderBy="startTime",
            timeMin=f"{MONDAY}T00:00:00Z",
            timeMax="2026-11-30T00:00:00Z",
        )
        rows: list[dict[str, Any]] = answer["items"]
        return rows

    def add(self, title: str, start: str, end: str, **fields: object) -> dict[str, Any]:
        """Add an event to Anna's calendar, times as in `2026-11-24T10:00`."""
        times = {
            name: {"dateTime": f"{at}:00", "timeZone": "Europe/Berlin"}
            for name, at in (("start", start), ("end", end))
        }
        return self.call("POST", body={"summary": title, **times, **fields})

    def rename(self, event: dict[str, Any], title: str) -> None:
        """Give one of Anna's events another title."""
        self.call("PATCH", f"/{event['id']}", body={"summary": title})

    def delete(self, event: dict[str, Any]) -> None:
        """Delete one of Anna's events."""
        self.call("DELETE", f"/{event['id']}")

    def times(self) -> list[tuple[str, str]]:
        """Return start and end of Anna's timed events, as in `2026-11-24T10:00`."""
        return [
            (row["start"]["dateTime"][:16], row["end"]["dateTime"][:16])
            for row in self.events()
        ]


@contextlib.contextmanager
def serve(data: Path) -> Iterator[Google]:
    """Run the simulator with the accounts of Anna and Ben."""
    options = ("--port", "0", "--data", str(data))
    process = subprocess.Popen(  # noqa: S603 -- our own module
        [sys.executable, "-m", "deploy.demo.google", *options],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with process, contextlib.ExitStack() as stack:
        stack.callback(process.terminate)
        assert process.stdout is not None
        said = process.stdout.readline().decode()
        assert said.startswith("listening on http://")
        google = Google(said.removeprefix("listening on ").strip())
        for address, name in ((ANNA, "Anna Abel"), (BEN, "Ben Berg")):
            fields = {"address": address, "name": name, "time_zone": "Europe/Berlin"}
            google.admin("POST", "accounts", **fields)
        yield google


@contextlib.contextmanager
def launch(chromium: Path) -> Iterator[Browser]:
    """Run the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=CHROMIUM_ARGUMENTS
        )
        yield browser
        browser.close()


@contextlib.contextmanager
def new_page(browser: Browser) -> Iterator[Page]:
    """Open an empty page; a script of ours that fails on it fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.set_default_timeout(DEADLINE_SECONDS * 1000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def open_week(page: Page, google: Google, account: str = ANNA) -> None:
    """Open the week of these tests, loaded."""
    query = urlencode({"account": account, "week": MONDAY})
    page.goto(f"{google.url}/calendar?{query}")
    expect(page.get_by_role("heading", name="November 2026")).to_be_visible()
    expect(page.get_by_role("main")).to_have_attribute("aria-busy", "false")


def day(page: Page, name: str) -> Locator:
    """Return the column of a day."""
    return page.locator(f'section[data-day="{name}"]')


_MEASURE = """name => {
    const column = document.querySelector(`section[data-day="${name}"]`);
    const box = column?.getBoundingClientRect();
    return box?.width ? box.toJSON() : null;
}"""


def point(page: Page, name: str, hour: float) -> tuple[float, float]:
    """Return where an hour of a day is on the screen."""
    # Looked up and measured in one go: the week is drawn anew while the test runs.
    box = page.wait_for_function(_MEASURE, arg=name).json_value()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] * hour / 24


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag the mouse between two points."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def event(page: Page, title: str) -> Locator:
    """Return the events of that title."""
    return page.get_by_role("button", name=re.compile(rf"^{re.escape(title)}, "))


def dialog(page: Page) -> Locator:
    """Return the open dialog."""
    return page.get_by_role("dialog")


def save(page: Page) -> None:
    """Save what the dialog holds."""
    dialog(page).get_by_role("button", name="Save").click()
    expect(dialog(page)).to_be_hidden()


def until(read: Callable[[], object], expected: object) -> None:
    """Wait until what is read equals what is expected."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (seen := read()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert seen == expected
