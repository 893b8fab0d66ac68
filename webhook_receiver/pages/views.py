"""The views: who you are, and how your calendar stands."""

from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState
from shared.domain.access import Problem
from webhook_receiver import problems, sessions
from webhook_receiver.access import Access
from webhook_receiver.identity import Identity
from webhook_receiver.pages import texts
from webhook_receiver.services import Services

SIGN_IN = "Open this page from your CRM, or with a sign-in link from your operator."


class Pages:
    """The pages of people."""

    def __init__(self, services: Services, access: Access) -> None:
        """Take the store and who lets users in."""
        self._store = services.store
        self._access = access

    def blueprint(self) -> Blueprint:
        """Return the routes, the templates and the stylesheet."""
        here = Path(__file__).parent
        routes = Blueprint(
            "pages",
            __name__,
            template_folder=str(here / "templates"),
            static_folder=str(here / "static"),
            static_url_path="/static",
        )
        routes.add_url_rule("/", "index", self.index, methods=["GET"])
        routes.add_url_rule("/me", "me", self.me, methods=["GET"])
        routes.app_context_processor(
            lambda: {
                "csrf_token": sessions.csrf_token(),
                "csrf_field": sessions.CSRF_FIELD,
            }
        )
        return routes

    def index(self) -> ResponseReturnValue:
        """Send people to their page, or tell them how to sign in."""
        if self._access.signed_in() is not None:
            return redirect("/me", HTTPStatus.SEE_OTHER)
        return render_template("index.html", hint=SIGN_IN)

    def me(self) -> ResponseReturnValue:
        """Show who is signed in and how their connection stands."""
        caller = self._access.signed_in()
        if caller is None:
            raise problems.ProblemError(HTTPStatus.UNAUTHORIZED, SIGN_IN)
        organization, user, connection = self._look_up(caller)
        is_user = caller.crm_user_id is not None
        is_connected = (
            connection is not None and connection.state == ConnectionState.ACTIVE
        )
        return render_template(
            "me.html",
            caller=caller,
            organization=organization.name,
            user=user,
            connection=connection,
            state=_state(connection) if is_user else texts.NO_USER,
            is_connected=is_connected,
            can_connect=is_user and bool(organization.google_client_id),
            text=texts.OUTCOMES.get(request.args.get("notice", "")),
        )

    def _look_up(
        self, caller: Identity
    ) -> tuple[tables.Organization, tables.CrmUser | None, tables.Connection | None]:
        with self._store.read() as work:
            organization = work.organizations.by_id(caller.organization_id)
            if caller.crm_user_id is None:
                return organization, None, None
            user = work.users.of(organization.id, caller.crm_user_id)
            connection = work.connections.of_user(organization.id, caller.crm_user_id)
        return organization, user, connection


def _state(connection: tables.Connection | None) -> str:
    if connection is None:
        return texts.NO_CONNECTION
    if connection.problem is not None:
        return Problem(connection.problem).detail
    return texts.STATES.get(connection.state, texts.NO_CONNECTION)
