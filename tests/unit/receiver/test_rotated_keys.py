"""While SECRET_KEYS are replaced, process by process, nobody is refused."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.adapters import crypto
from shared.adapters.store import Store, tables
from shared.domain import signing
from tests import store_rows
from tests.unit.receiver.delivering import event
from tests.unit.receiver.house import API, NOW, SECRET, House
from webhook_receiver.app import create_app

OLD, NEW = store_rows.KEY, crypto.Keys.generate()
COOKIE = "calendar_sync_session"


class Fleet:
    """Receivers on one database, each started with keys of its own."""

    def __init__(self, house: House) -> None:
        """Begin with none."""
        self._house = house
        self._stores: list[Store] = []
        self._apps: dict[Sequence[str], Flask] = {}

    def started(self, *keys: str) -> Flask:
        """Return the receiver with these keys."""
        if keys not in self._apps:
            self._apps[keys] = self._start(keys)
        return self._apps[keys]

    def _start(self, keys: Sequence[str]) -> Flask:
        known = crypto.Keys(keys)
        store = Store(str(self._house.store.engine.url), keys=known)
        self._stores.append(store)
        services = replace(self._house.services, store=store, keys=known)
        app: Flask = create_app(services)
        return app

    def close(self) -> None:
        """Let go of the database."""
        for store in self._stores:
            store.close()


class Visitor:
    """An operator with a browser, the CRM, and Google with a watch channel."""

    def __init__(self, house: House, organization: tables.Organization) -> None:
        """Sign in; nothing was sent yet."""
        self._form_token = self._cookie = ""
        self._keep(house.signed_in(organization, "operator", None))
        self.load(house.app)
        self._house = house
        self.channel_key = OLD
        """What signed the token of the channel."""

    def load(self, app: Flask) -> None:
        """Load the page with the form that is sent from now on."""
        browser = self._browser(app)
        page = browser.get("/admin/dead-letters").text
        token = re.search(r'<meta name="csrf-token" content="([^"]+)">', page)
        assert token
        self._form_token = token.group(1)
        self._keep(browser)

    def _browser(self, app: Flask) -> FlaskClient:
        browser = app.test_client()
        browser.set_cookie(COOKIE, self._cookie)
        return browser

    def _keep(self, browser: FlaskClient) -> None:
        cookie = browser.get_cookie(COOKIE)
        assert cookie
        self._cookie = cookie.value

    def visit(self, app: Flask) -> list[int]:
        """Do all there is to do; return the statuses."""
        browser = self._browser(app)
        token = {"X-CSRF-Token": self._form_token}
        shown = browser.get(f"{API}/dead-letters")
        sent = browser.post(
            f"{API}/dead-letters/replay", json={"all": True}, headers=token
        )
        self._keep(browser)
        statuses = [shown.status_code, sent.status_code]
        return [*statuses, self._task_changed(app), self._calendar_changed(app)]

    def _task_changed(self, app: Flask) -> int:
        answer = app.test_client().post(
            "/webhooks/crm/acme",
            json=event(),
            headers=signing.sign_webhook(
                app.json.dumps(event()).encode(),
                delivery_id="d1",
                secrets=[SECRET],
                now=self._house.clock.now(),
            ),
        )
        return answer.status_code

    def _calendar_changed(self, app: Flask) -> int:
        key = crypto.Keys([self.channel_key]).derive(signing.CHANNEL_TOKEN_PURPOSE)
        headers = {
            "X-Goog-Channel-ID": "c1",
            "X-Goog-Channel-Token": signing.channel_token(key, "c1"),
            "X-Goog-Resource-ID": "r1",
            "X-Goog-Resource-State": "exists",
        }
        return app.test_client().post("/webhooks/google", headers=headers).status_code


WELL = [200, 200, 202, 204]
Step = Sequence[Sequence[str]]
"""The keys of each process that runs meanwhile."""
BEFORE: Sequence[Step] = [
    [[OLD]],
    [[OLD, NEW], [OLD]],
    [[OLD, NEW]],
    [[NEW, OLD], [OLD, NEW]],
    [[NEW, OLD]],
]
AFTER: Sequence[Step] = [[[NEW], [NEW, OLD]], [[NEW]]]


@pytest.fixture
def fleet(house: House) -> Iterator[Fleet]:
    """Return receivers on the database of the house."""
    fleet = Fleet(house)
    yield fleet
    fleet.close()


def test_nobody_is_refused_while_a_key_is_replaced(
    house: House, acme: tables.Organization, fleet: Fleet
) -> None:
    visitor = Visitor(house, acme)
    seen: dict[str, list[int]] = {}

    def visit(steps: Sequence[Step], when: str) -> None:
        for number, keys in enumerate(keys for step in steps for keys in step):
            seen[f"{when}, visit {number}"] = visitor.visit(fleet.started(*keys))

    visit(BEFORE, "before")
    meanwhile = Disturbed([NEW, OLD], lambda n: visit(BEFORE[-1:], f"secret {n}"))
    rotating = Store(str(house.store.engine.url), keys=meanwhile)
    rotated = rotating.rotate_secrets()
    rotating.close()
    visit(BEFORE[-1:], "rotated")
    # What the old key has signed comes to its end meanwhile.
    house.clock.moment = NOW + timedelta(minutes=2)
    visit(BEFORE[-1:], "a click later")
    visitor.load(fleet.started(NEW, OLD))
    visitor.channel_key = NEW
    visit(AFTER, "after")

    assert rotated == 4
    assert {when for when in seen if when.startswith("secret ")} == {
        f"secret {number}, visit 0" for number in range(rotated)
    }
    assert {when: got for when, got in seen.items() if got != WELL} == {}


class Disturbed(crypto.Keys):
    """Keys that let something happen before each secret is encrypted anew."""

    def __init__(self, keys: Sequence[str], happen: Callable[[int], None]) -> None:
        """Take what happens; it is told how many secrets are done."""
        super().__init__(keys)
        self._happen = happen
        self._done = 0

    def rotate(self, token: str) -> str:
        """Encrypt anew."""
        self._happen(self._done)
        self._done += 1
        return super().rotate(token)
