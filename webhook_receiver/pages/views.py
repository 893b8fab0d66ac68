"""The views: who you are, and how your calendar stands."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState
from shared.domain.access import Problem
from webhook_receiver import identity, sessions
from webhook_receiver.access import Access
from webhook_receiver.identity import Identity
from webhook_receiver.pages import history, reference, texts
from webhook_receiver.pages.labels import LABELS, shown
from webhook_receiver.pages.routes import EVERYBODY, SIGN_IN, PageRoutes
from webhook_receiver.pages.viewer import Viewer, duration
from webhook_receiver.services import Services


class Part(Protocol):
    """Some of the pages."""

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        ...


_PARTS: tuple[Callable[[Services], Part], ...] = (
    history.History,
    reference.Reference,
)


class Pages:
    """All pages, of people who are signed in and of those who are not."""

    def __init__(self, services: Services, access: Access) -> None:
        """Take the store and who lets users in."""
        self._store = services.store
        self._access = access
        self._routes = PageRoutes(services.store, access)
        self._routes.show("/me", self.me, roles=EVERYBODY)
        for part in _PARTS:
            part(services).register(self._routes)

    def blueprint(self) -> Blueprint:
        """Return the routes, the templates and the stylesheet."""
        routes = self._routes.blueprint
        routes.add_url_rule("/", "index", self.index, methods=["GET"])
        routes.app_context_processor(self._context)
        return routes

    def _context(self) -> dict[str, object]:
        """Return what every template may use."""
        return {
            "viewer": g.get("viewer"),
            "labels": LABELS,
            "duration": duration,
            "shown": shown,
            "csrf_token": sessions.csrf_token(),
            "csrf_field": sessions.CSRF_FIELD,
        }

    def index(self) -> ResponseReturnValue:
        """Send people to their page, or tell them how to sign in."""
        caller = self._access.signed_in()
        if caller is None:
            return render_template("index.html", hint=SIGN_IN)
        with self._store.read() as work:
            home = Viewer.of(work, caller).home
        return redirect(home, HTTPStatus.SEE_OTHER)

    def me(self) -> ResponseReturnValue:
        """Show who is signed in and how their connection stands."""
        caller = identity.caller()
        organization, connection = self._look_up(caller)
        is_user = caller.crm_user_id is not None
        is_connected = (
            connection is not None and connection.state == ConnectionState.ACTIVE
        )
        return render_template(
            "me.html",
            organization=organization.name,
            connection=connection,
            state=_state(connection) if is_user else texts.NO_USER,
            is_connected=is_connected,
            can_connect=is_user and bool(organization.google_client_id),
            text=texts.OUTCOMES.get(request.args.get("notice", "")),
        )

    def _look_up(
        self, caller: Identity
    ) -> tuple[tables.Organization, tables.Connection | None]:
        with self._store.read() as work:
            organization = work.organizations.by_id(caller.organization_id)
            if caller.crm_user_id is None:
                return organization, None
            connection = work.connections.of_user(organization.id, caller.crm_user_id)
        return organization, connection


def _state(connection: tables.Connection | None) -> str:
    if connection is None:
        return texts.NO_CONNECTION
    if connection.problem is not None:
        return Problem(connection.problem).detail
    return texts.STATES.get(connection.state, texts.NO_CONNECTION)
