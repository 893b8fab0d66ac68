"""A receiver on a database of its own, with people who call it."""

import contextlib
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.pool import NullPool

from shared.adapters import crypto
from shared.adapters.broker_local import LocalBroker, table
from shared.adapters.store import Store, UnitOfWork, tables
from shared.domain import messages, signing
from shared.domain.messages import Message
from tests import clocks, google_oauth_stub, store_rows, stub_server
from webhook_receiver.app import create_app
from webhook_receiver.services import Services

API = "/api/calendar-sync"
NOW = google_oauth_stub.NOW
SECRET = signing.new_secret(b"s" * 24)
LAUNCH_SECRET = "launch"  # noqa: S105 - made up
APP = {"client_id": "acme", "client_secret": "hush-client"}
PUBLIC_URL = "http://localhost:8080"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody with a token for the API."""

    client: FlaskClient
    token: str

    def get(self, path: str, **options: Any) -> Any:  # noqa: ANN401 - Flask's
        """Send a GET."""
        return self.ask("GET", path, **options)

    def put(self, path: str, json: object) -> Any:  # noqa: ANN401 - Flask's
        """Send a PUT."""
        return self.ask("PUT", path, json=json)

    def post(self, path: str, json: object = None) -> Any:  # noqa: ANN401 - Flask's
        """Send a POST."""
        return self.ask("POST", path, **({} if json is None else {"json": json}))

    def delete(self, path: str) -> Any:  # noqa: ANN401 - Flask's
        """Send a DELETE."""
        return self.ask("DELETE", path)

    def ask(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - Flask's
        """Send any request to the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.open(API + path, method=method, headers=headers, **options)


class House:
    """The receiver and what it stands on."""

    def __init__(self, path: Path, google: stub_server.StubServer) -> None:
        """Take a migrated database, and a server in the place of Google's."""
        self.google = google
        self._path = path
        self.clock = clocks.SettableClock(NOW)
        self.keys = crypto.Keys([store_rows.KEY])
        self.store = Store(f"sqlite:///{path}", keys=self.keys)
        self._nowhere = create_engine(
            f"sqlite:///{path.parent}/nowhere.db", poolclass=NullPool
        )
        self.is_broker_down = False
        self.services = Services(
            store=self.store,
            broker=LocalBroker(self._engine, self.clock),
            oauth=google_oauth_stub.at(google.url),
            keys=self.keys,
            clock=self.clock,
            public_url=PUBLIC_URL,
        )
        self.app: Flask = create_app(self.services)
        self.app.testing = True

    def _engine(self) -> Engine:
        # A database without the table of messages is as good as none.
        return self._nowhere if self.is_broker_down else self.store.engine

    def move_into(self, database: Path) -> None:
        """Begin anew with a copy of a database; making the application takes longer."""
        self.store.close()
        for left in self._path.parent.glob(f"{self._path.name}-*"):
            left.unlink()
        shutil.copy(database, self._path)
        self.clock.moment = NOW
        self.is_broker_down = False
        self.google.forget()

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()
        self._nowhere.dispose()

    def browser(self) -> FlaskClient:
        """Return a browser without cookies."""
        return self.app.test_client()

    def queued(self) -> list[Message]:
        """Return the messages in all queues, oldest first."""
        with self.store.engine.connect() as connection:
            bodies = connection.scalars(select(table.rows.c.body).order_by("id")).all()
        return [messages.decode(body) for body in bodies]

    def found(self) -> contextlib.AbstractContextManager[UnitOfWork]:
        """Open a unit of work that reads."""
        return self.store.read()

    # -- who is there -------------------------------------------------------------

    def organization(self, name: str = "acme", **columns: Any) -> tables.Organization:  # noqa: ANN401
        """Store an organization whose Google app is set up."""
        values: dict[str, Any] = {
            "crm_url": "https://crm.example/api/v1",
            "crm_api_key": "key-of-the-crm",
            "crm_webhook_secrets": [SECRET],
            "launch_secret": LAUNCH_SECRET,
            "google_client_id": APP["client_id"],
            "google_client_secret": APP["client_secret"],
            "created_at": NOW,
        } | columns
        with self.store.begin() as work:
            row = work.organizations.add(tables.Organization(name=name, **values))
            work.commit()
        return row

    def user(
        self,
        organization: tables.Organization,
        user_id: str = "u1",
        **columns: Any,  # noqa: ANN401
    ) -> tables.CrmUser:
        """Store a user of the CRM."""
        values = {"email": f"{user_id}@example.com", "active": True} | columns
        with self.store.begin() as work:
            row = work.users.add(
                tables.CrmUser(
                    organization_id=organization.id, user_id=user_id, **values
                )
            )
            work.commit()
        return row

    def connection(
        self,
        organization: tables.Organization,
        user_id: str = "u1",
        **columns: Any,  # noqa: ANN401
    ) -> tables.Connection:
        """Store a connection, an active one unless `columns` say otherwise."""
        values: dict[str, Any] = {
            "google_sub": "1001",
            "google_address": f"{user_id}@gmail.example",
            "refresh_token": f"refresh-{user_id}",
            "created_at": NOW,
        } | columns
        with self.store.begin() as work:
            row = store_rows.add_connection(work, organization, user_id, **values)
            work.commit()
        return row

    def caller(
        self,
        organization: tables.Organization,
        role: str = "admin",
        user_id: str | None = None,
        **columns: Any,  # noqa: ANN401
    ) -> Caller:
        """Make a token, as `calendar-sync token create` does."""
        token = uuid.uuid4().hex
        values = {"created_at": NOW} | columns
        with self.store.begin() as work:
            work.tokens.add(
                tables.ApiToken(
                    organization_id=organization.id,
                    token_hash=signing.hash_secret(token),
                    role=role,
                    crm_user_id=user_id,
                    **values,
                )
            )
            work.commit()
        return Caller(client=self.browser(), token=token)

    def login_code(
        self,
        organization: tables.Organization,
        role: str = "user",
        user_id: str | None = "u1",
        **columns: Any,  # noqa: ANN401
    ) -> str:
        """Make a sign-in code, as `calendar-sync login-link` does."""
        code = uuid.uuid4().hex
        values = {"expires_at": store_rows.LATER.max.replace(tzinfo=NOW.tzinfo)}
        with self.store.begin() as work:
            work.login_codes.add(
                tables.LoginCode(
                    code_hash=signing.hash_secret(code),
                    organization_id=organization.id,
                    role=role,
                    crm_user_id=user_id,
                    **(values | columns),
                )
            )
            work.commit()
        return code

    def signed_in(
        self,
        organization: tables.Organization,
        role: str = "user",
        user_id: str | None = "u1",
    ) -> FlaskClient:
        """Return a browser that somebody is signed in with."""
        browser = self.browser()
        code = self.login_code(organization, role, user_id)
        assert browser.get(f"/login?code={code}").status_code == 303
        return browser


def wrong_fields(answer: Any) -> list[str]:  # noqa: ANN401 - Flask's
    """Return the fields that a problem names."""
    assert answer.content_type == "application/problem+json"
    return [error["field"] for error in answer.json["errors"]]


def csrf_token(browser: FlaskClient) -> str:
    """Return the token that a page of this browser carries."""
    match = re.search(
        r'<meta name="csrf-token" content="([^"]+)">', browser.get("/me").text
    )
    assert match
    return match.group(1)


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@contextlib.contextmanager
def standing(path: Path) -> Iterator[House]:
    """Yield a receiver while the block runs."""
    with stub_server.running() as google:
        house = House(path, google)
        try:
            yield house
        finally:
            house.close()
