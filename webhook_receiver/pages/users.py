"""The users of the CRM: who is connected, who is not, and who needs help."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from shared.domain.access import Problem
from webhook_receiver import identity
from webhook_receiver.api import users
from webhook_receiver.api.connection_shapes import ConnectionPath, DisconnectQuery
from webhook_receiver.api.connections import visible
from webhook_receiver.pages import acting, asking, confirming, people, troubleshooting
from webhook_receiver.pages.routes import ADMIN, PageRoutes
from webhook_receiver.pages.troubleshooting import Advice
from webhook_receiver.services import Services

PATH = "/admin/users"

STATES = (
    ("attention", "Needs attention"),
    ("active", "Active"),
    ("needs_reauthorization", "Must connect again"),
    ("missing_scopes", "Permission missing"),
    ("calendar_missing", "Calendar missing"),
    ("paused", "Paused"),
    ("disconnected", "Not connected"),
)


class Users:
    """Shows what `api.users` answers, and acts through the API."""

    def __init__(self, services: Services) -> None:
        """Take the people."""
        self._store = services.store
        self._users = users.Users(services)
        self._acts = acting.Acts(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        one = f"{PATH}/<int:connection_id>"
        invite = f"{PATH}/<user_id>/invite"
        routes.show(PATH, self.users, roles=ADMIN)
        routes.take(invite, self.invite_user_by_page, roles=ADMIN)
        routes.take(f"{one}/sync", self.sync_user, roles=ADMIN)
        routes.take(f"{one}/disconnect", self.disconnect_user, roles=ADMIN)

    def users(self) -> ResponseReturnValue:
        """List the users of the CRM, those first who have to do something."""
        query = asking.query(users.UserQuery)
        page = self._users.list_users(query)
        caller = identity.caller()
        with self._store.read() as work:
            organization = work.organizations.by_id(caller.organization_id)
        return render_template(
            "users.html",
            page=page,
            query=query,
            states=STATES,
            can_connect=bool(organization.google_client_id),
            was_read=organization.users_read_at is not None,
            next_page=asking.next_page(page.next_cursor),
            not_started=Problem.NOT_STARTED,
            advices=_advices(page.items),
            advice_of=troubleshooting.of_problem,
        )

    def invite_user_by_page(self, user_id: str) -> ResponseReturnValue:
        """Have the CRM tell a user how to connect."""
        organization_id = identity.caller().organization_id
        with self._store.read() as work:
            (person,) = people.of_users(work, organization_id, [user_id]).values()
        self._acts.invite(user_id, person.name)
        return _back()

    def sync_user(self, connection_id: int) -> ResponseReturnValue:
        """Bring a user's connection in step."""
        self._acts.sync(connection_id)
        return _back()

    def disconnect_user(self, connection_id: int) -> ResponseReturnValue:
        """Disconnect a user, once the admin has seen what becomes of the events."""
        path = ConnectionPath(connection_id=connection_id)
        events = request.form.get("events", "keep")
        query = asking.validated(DisconnectQuery, events=events)
        if confirming.is_confirmed():
            self._acts.disconnect(path.connection_id, query)
            return _back()
        with self._store.read() as work:
            row = visible(work, path.connection_id)
            named = people.of_connections(work, row.organization_id, [row.id])
        name = named[row.id].name
        return self._acts.ask_to_disconnect(row.id, query, whose=name, back=PATH)


def _advices(listed: Sequence[users.UserDocument]) -> list[Advice]:
    """Return what to do about the problems on the page, each once."""
    connected = [user.connection for user in listed if user.connection]
    codes = [each.problem.code for each in connected if each.problem]
    found = [troubleshooting.of_problem(code) for code in codes]
    return [advice for advice in dict.fromkeys(found) if advice is not None]


def _back() -> ResponseReturnValue:
    return redirect(PATH, HTTPStatus.SEE_OTHER)
