"""Sessions of people: a signed cookie with who they are and since when.

The cookie is all there is, so that no component keeps state of its own: signing out
forgets it in the browser, and it ends by itself when idle or old.
"""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Flask, Request, session
from flask.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
)
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from shared.adapters import crypto
from webhook_receiver.identity import Identity

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
_TOUCH = timedelta(minutes=1)
"""How much later than before a session must be seen to send the cookie again."""

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"


class _Sessions(SecureCookieSessionInterface):
    """Flask's sessions; webhooks have none, and pay for none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith("/webhooks/"):
            return NullSession()
        return super().open_session(app, request)


def configure(app: Flask, keys: crypto.Keys, public_url: str) -> None:
    """Set up the cookie; the keys may be rotated while sessions last."""
    first, *older = keys.derive_all("session")
    is_secure = urlsplit(public_url).scheme == "https"
    app.session_interface = _Sessions()
    app.config.update(
        SECRET_KEY=first,
        SECRET_KEY_FALLBACKS=older,
        # Flask-WTF has no fallbacks; what signs with these takes the last one.
        WTF_CSRF_SECRET_KEY=[*reversed(older), first],
        # The prefix makes browsers refuse one that a neighbouring host has set.
        SESSION_COOKIE_NAME="__Host-session" if is_secure else "calendar_sync_session",
        SESSION_COOKIE_SECURE=is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        # Strict would leave people signed out when Google sends them back.
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # A token against forgery lasts as long as its session.
        WTF_CSRF_TIME_LIMIT=None,
    )


def sign_in(identity: Identity, now: datetime) -> None:
    """Begin a session; nothing of an earlier one lives on in it."""
    session.clear()
    session.update(
        organization=identity.organization_id,
        role=identity.role,
        user=identity.crm_user_id,
        since=now.timestamp(),
        seen=now.timestamp(),
    )


def sign_out() -> None:
    """End the session."""
    session.clear()


def current(now: datetime) -> Identity | None:
    """Return who is signed in; ends a session that is idle or old."""
    if "since" not in session:
        return None
    idle = now.timestamp() - session["seen"]
    age = now.timestamp() - session["since"]
    if idle > IDLE.total_seconds() or age > LONGEST.total_seconds():
        session.clear()
        return None
    if idle > _TOUCH.total_seconds():
        session["seen"] = now.timestamp()
    return Identity(
        organization_id=session["organization"],
        role=session["role"],
        crm_user_id=session["user"],
    )


def csrf_token() -> str:
    """Return what unsafe requests of this session must carry; empty without one."""
    if "since" not in session:
        return ""
    token: str = generate_csrf()
    return token


def is_csrf_token(given: str) -> bool:
    """Tell whether this is a token of the session."""
    try:
        validate_csrf(given)
    except ValidationError:
        return False
    return True
