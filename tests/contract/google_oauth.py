"""Drives the simulated Google's OAuth server as a browser and a client would."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from deploy.demo.google import oauth, oauth_scopes

ANNA = "anna@example.com"
BEN = "ben@example.com"
EVENTS = "https://www.googleapis.com/auth/calendar.events"
SETTINGS = "https://www.googleapis.com/auth/calendar.settings.readonly"
CALENDARS = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
SCOPES = (oauth_scopes.OPENID, oauth_scopes.EMAIL, EVENTS, SETTINGS, CALENDARS)
CLIENT_ID = "4711-tests.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-tests"  # noqa: S105 -- registered by these tests only
REDIRECT_URI = "https://app.example.com/callback"
PATH = "/o/oauth2/v2/auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account that can sign in."""

    address: str
    name: str


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def advance(self, **by: float) -> None:
        """Let time pass: keywords of `timedelta`."""
        self.at += timedelta(**by)


PEOPLE = (
    Person(address=ANNA, name="Anna <b>Abel</b>"),
    Person(address=BEN, name="Ben Berg"),
)


def create_app(server: oauth.Server) -> flask.Flask:
    """Return an app with nothing but the OAuth server."""
    app = flask.Flask("oauth")
    app.register_blueprint(oauth.create_blueprint(server, lambda: PEOPLE))
    return app


@dataclass(slots=True)
class Simulator:
    """The OAuth server in process, with one registered client."""

    path: Path | None = None
    clock: Clock = field(default_factory=Clock)
    server: oauth.Server = field(init=False)
    http: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        """Start it and register the client."""
        self.server = oauth.Server(self.clock, self.path)
        self.http = create_app(self.server).test_client()
        self.register()

    def register(self, **fields: object) -> None:
        """Register the client, or change it."""
        self.admin(
            "clients",
            **{
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "redirect_uris": [REDIRECT_URI],
                "name": "Sync & Co",
                **fields,
            },
        )

    def admin(self, endpoint: str, **body: object) -> dict[str, object]:
        """Return what an admin endpoint answers."""
        answer = self.http.post(f"/_admin/{endpoint}", json=body)
        assert answer.status_code == 200, answer.text
        document = answer.get_json()
        assert isinstance(document, dict)
        return document

    def open(self, **parameters: str) -> TestResponse:
        """Open the consent page."""
        return self.http.get(authorization_url(**parameters))

    def answer(
        self,
        *,
        ticked: Sequence[str],
        account: str = ANNA,
        decision: str = "allow",
        **parameters: str,
    ) -> dict[str, str]:
        """Post the consent form; return the parameters the client is sent."""
        answer = self.http.post(
            authorization_url(**parameters),
            data={"account": account, "scope": list(ticked), "decision": decision},
        )
        assert answer.status_code == 302, answer.text
        return redirected(answer.location)

    def code(self, account: str = ANNA, **parameters: str) -> str:
        """Return the code of an account that ticked everything."""
        return self.answer(ticked=SCOPES, account=account, **parameters)["code"]

    def token(self, **form: str) -> TestResponse:
        """Call the token endpoint with the client's credentials in the body."""
        own = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return self.http.post("/token", data={**own, **form})

    def exchange(self, code: str, **form: str) -> TestResponse:
        """Exchange a code."""
        return self.token(
            grant_type="authorization_code",
            code=code,
            redirect_uri=REDIRECT_URI,
            **form,
        )

    def refresh(self, refresh_token: str, **form: str) -> TestResponse:
        """Refresh an access token."""
        return self.token(
            grant_type="refresh_token", refresh_token=refresh_token, **form
        )

    def connect(self, account: str = ANNA, **parameters: str) -> dict[str, str]:
        """Let an account grant everything anew; return the token reply."""
        code = self.code(account, **{"prompt": "consent", **parameters})
        reply = self.exchange(code)
        assert reply.status_code == 200, reply.text
        document = reply.get_json()
        assert isinstance(document, dict)
        return document


def authorization_url(**parameters: str) -> str:
    """Return a path to the consent page; an empty parameter is left out."""
    query = {
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "access_type": "offline",
        "state": "s-1",
        **parameters,
    }
    return f"{PATH}?{urlencode({k: v for k, v in query.items() if v})}"


def redirected(location: str, to: str = REDIRECT_URI) -> dict[str, str]:
    """Return the parameters that a redirect to the client carries."""
    address, _, query = location.partition("?")
    assert address == to
    return dict(parse_qsl(query))


def links(page: str) -> list[Mapping[str, str]]:
    """Return the parameters of each link on a page that leads to the consent page."""
    hrefs = re.findall(r'href="([^"]+)"', page)
    return [
        dict(parse_qsl(urlsplit(href.replace("&amp;", "&")).query))
        for href in hrefs
        if href.startswith(PATH)
    ]
