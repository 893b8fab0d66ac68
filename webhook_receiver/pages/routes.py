"""The one way that a person gets onto a page: who may see it, then what it shows.

A page without roles cannot be added, and what is not added is not served.
"""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from shared.adapters.store import Store
from shared.adapters.store.states import Role
from webhook_receiver import access, identity, problems, sessions
from webhook_receiver.pages.viewer import Viewer

SIGN_IN = "Open this page from your CRM, or with a sign-in link from your operator."

ADMIN = frozenset({Role.ADMIN})
ADMIN_OR_USER = frozenset({Role.ADMIN, Role.USER})
OPERATION = frozenset({Role.ADMIN, Role.OPERATOR})
EVERYBODY = frozenset(Role)

View = Callable[..., ResponseReturnValue]


class PageRoutes:
    """The pages, each with the roles that may open it."""

    def __init__(self, store: Store, gate: access.Access) -> None:
        """Take who lets people in, and where to look up who they are."""
        self._store = store
        here = Path(__file__).parent
        self._access = gate
        self.roles: dict[str, frozenset[Role]] = {}
        self.blueprint = Blueprint(
            "pages",
            __name__,
            template_folder=str(here / "templates"),
            static_folder=str(here / "static"),
            static_url_path="/static",
        )
        self.blueprint.before_request(self._enter)

    def show(self, rule: str, view: View, *, roles: frozenset[Role]) -> None:
        """Serve a page under the name of its view."""
        self._add("GET", rule, view, roles)

    def take(self, rule: str, view: View, *, roles: frozenset[Role]) -> None:
        """Serve what a form of a page is sent to."""
        self._add("POST", rule, view, roles)

    def _add(self, method: str, rule: str, view: View, roles: frozenset[Role]) -> None:
        self.roles[view.__name__] = roles
        self.blueprint.add_url_rule(rule, view.__name__, view, methods=[method])

    def _enter(self) -> None:
        """Let a person in, or raise what refuses the page."""
        roles = self.roles.get((request.endpoint or "").removeprefix("pages."))
        if roles is None:
            return  # a static file, or a page for whoever is not signed in
        caller = self._access.signed_in()
        if caller is None:
            raise problems.ProblemError(HTTPStatus.UNAUTHORIZED, SIGN_IN)
        if caller.role not in roles:
            detail = f"The role {caller.role} may not open this page."
            raise problems.ProblemError(HTTPStatus.FORBIDDEN, detail)
        identity.remember(caller)
        with self._store.read() as work:
            g.viewer = Viewer.of(work, caller)
        if request.method == "POST":
            access.require_csrf_token(request.form.get(sessions.CSRF_FIELD, ""))
