"""Lets people in and out: one-time addresses, launches from the CRM, signing out."""

import logging
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from shared.domain import signing
from webhook_receiver import launches, problems, sessions
from webhook_receiver.access import require_csrf_token
from webhook_receiver.identity import Identity
from webhook_receiver.services import Services

log = logging.getLogger(__name__)

HOME = "/"


class SignIn:
    """The addresses at which sessions begin and end."""

    def __init__(self, services: Services) -> None:
        """Take where codes are stored."""
        self._store = services.store
        self._clock = services.clock
        self._launches = launches.Launches(services)

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("signin", __name__)
        routes.add_url_rule("/login", "login", self.login, methods=["GET"])
        routes.add_url_rule("/launch", "launch", self.launch, methods=["GET"])
        routes.add_url_rule("/logout", "logout", self.logout, methods=["POST"])
        return routes

    def login(self) -> ResponseReturnValue:
        """Begin a session for the one-time code of `calendar-sync login-link`."""
        if request.method == "HEAD":
            # Whoever previews the address in a message must not use it up.
            return "", HTTPStatus.OK
        identity = self._redeemed(request.args.get("code", ""))
        if identity is None:
            detail = "This sign-in address was used before, or has expired."
            raise problems.ProblemError(HTTPStatus.UNAUTHORIZED, detail)
        return self._let_in(identity)

    def launch(self) -> ResponseReturnValue:
        """Begin a session for a token that the CRM signed."""
        if request.method == "HEAD":
            return "", HTTPStatus.OK
        try:
            identity = self._launches.redeem(request.args.get("token", ""))
        except launches.LaunchError as error:
            log.warning("Refused a launch: %s", error)
            detail = "Your CRM's sign-in was not accepted. Open the page from it again."
            raise problems.ProblemError(HTTPStatus.UNAUTHORIZED, detail) from error
        return self._let_in(identity)

    def logout(self) -> ResponseReturnValue:
        """End the session."""
        header = request.headers.get(sessions.CSRF_HEADER, "")
        require_csrf_token(request.form.get(sessions.CSRF_FIELD, header))
        sessions.sign_out()
        return redirect("/", HTTPStatus.SEE_OTHER)

    def _redeemed(self, code: str) -> Identity | None:
        with self._store.begin() as work:
            key = signing.hash_secret(code)
            row = work.login_codes.redeem(key, now=self._clock.now())
            work.commit()
        if row is None:
            return None
        return Identity(
            organization_id=row.organization_id,
            role=row.role,
            crm_user_id=row.crm_user_id,
        )

    def _let_in(self, identity: Identity) -> ResponseReturnValue:
        sessions.sign_in(identity, self._clock.now())
        return redirect(own_path(request.args.get("next", "")), HTTPStatus.SEE_OTHER)


def own_path(wanted: str) -> str:
    """Return a path of this site: the one that is wanted, or where people belong."""
    # Browsers take a backslash for a slash, and skip tabs and line ends.
    is_plain = wanted.isprintable() and "\\" not in wanted
    if not is_plain or not wanted.startswith("/") or wanted.startswith("//"):
        return HOME
    parts = urlsplit(wanted)
    return HOME if parts.scheme or parts.netloc else wanted
