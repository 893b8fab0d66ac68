"""Drives the simulated CRM in a browser, as a person, and beside it over HTTP."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Locator, Page, expect

from tests import simulators

ANN, BEN = "ann", "ben"
YESTERDAY = "2026-11-23"
TODAY = "2026-11-24"  # of google_page.NOW, which the browser shows
TOMORROW = "2026-11-25"
API_KEY = "key-of-the-page"
WITHIN_A_SECOND = 1000.0
_CHOSEN = ("type", "owner", "time_zone")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Crm:
    """The simulator in a process of its own, driven over HTTP."""

    simulator: simulators.Simulator

    @property
    def url(self) -> str:
        """The address of its page."""
        return self.simulator.url

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """Call the API, behind the back of the person at the page."""
        answer = requests.request(
            method,
            f"{self.url}/api/v1/{path}",
            headers={"Authorization": f"Bearer {API_KEY}", **headers},
            json=body,
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def add(self, title: str, **fields: object) -> Row:
        """Add a task of Ann's, which is due today at ten in Berlin unless told."""
        body = {
            "type": "Meeting",
            "title": title,
            "owner_id": ANN,
            "due_at": f"{TODAY}T10:00:00+01:00",
            "duration_minutes": 60,
            **fields,
        }
        key = {"Idempotency-Key": uuid.uuid4().hex}
        task: Row = self.call("POST", "tasks", body, **key)
        return task

    def change(self, task: Row, **fields: object) -> None:
        """Change fields of a task."""
        self.call("PATCH", f"tasks/{task['id']}", fields)

    def delete(self, task: Row) -> None:
        """Delete a task."""
        self.call("DELETE", f"tasks/{task['id']}")

    def notify(self, **message: str) -> None:
        """Show Ann a message."""
        self.call("POST", f"users/{ANN}/notifications", message)

    def task(self, task: Row) -> Row:
        """Return a task as it is now."""
        found: Row = self.call("GET", f"tasks/{task['id']}")
        return found

    def tasks(self) -> list[Row]:
        """Return the tasks that are not deleted."""
        rows: list[Row] = self.call("GET", "tasks")["items"]
        return rows

    def only(self) -> Row:
        """Return the one task that there is."""
        (task,) = self.tasks()
        return task


@contextlib.contextmanager
def serve(data: Path) -> Iterator[Crm]:
    """Run the simulator with Ann in Berlin and Ben in New York."""
    options = (
        *("--api-key", API_KEY),
        *("--webhook-secret", "whsec_" + "c2ltdWxhdGVkLWNybS13ZWJob29r"),
        *("--webhook-url", "http://127.0.0.1:9/nobody"),
    )
    with simulators.running("deploy.demo.crm", *options, data=data) as running:
        for user_id, name, zone in (
            (ANN, "Ann Abel", "Europe/Berlin"),
            (BEN, "Ben Berg", "America/New_York"),
        ):
            running.order(
                "users",
                id=user_id,
                email=f"{user_id}@example.com",
                name=name,
                time_zone=zone,
            )
        yield Crm(running)


def open_tasks(page: Page, crm: Crm, user: str = ANN) -> None:
    """Open the tasks of a user, loaded."""
    page.goto(f"{crm.url}/tasks?user={user}")
    expect(page.get_by_role("main")).to_have_attribute("aria-busy", "false")


def row(page: Page, title: str) -> Locator:
    """Return the rows of that title."""
    titled = page.get_by_text(title, exact=True)
    return page.get_by_role("main").get_by_role("listitem").filter(has=titled)


def open_task(page: Page, title: str) -> None:
    """Open a task in the dialog."""
    row(page, title).get_by_role("button").click()
    expect(dialog(page)).to_be_visible()


def day(page: Page, name: str) -> Locator:
    """Return the section of a day."""
    return page.get_by_role("region", name=name)


def dialog(page: Page) -> Locator:
    """Return the open dialog."""
    return page.get_by_role("dialog")


def fill(page: Page, **fields: str) -> None:
    """Fill fields of the dialog; `time_zone` is the one labelled Time zone."""
    for name, value in fields.items():
        label = name.replace("_", " ").capitalize()
        if name in _CHOSEN:
            choice = dialog(page).get_by_role("combobox", name=label, exact=True)
            choice.select_option(value)
        else:
            dialog(page).get_by_label(label, exact=True).fill(value)


def press(page: Page, button: str) -> None:
    """Press a button of the dialog, which closes it."""
    dialog(page).get_by_role("button", name=button, exact=True).click()
    expect(dialog(page)).to_be_hidden()
