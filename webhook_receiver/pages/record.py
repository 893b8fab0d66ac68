"""The record page: everything that is known of a task and its event, and why."""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from shared.adapters.store.states import Outcome
from webhook_receiver import identity
from webhook_receiver.api import links
from webhook_receiver.pages import acting, asking, meetings, people
from webhook_receiver.pages.people import Person
from webhook_receiver.pages.routes import ADMIN_OR_USER, PageRoutes
from webhook_receiver.services import Services

_PATH = "/record"


class Record:
    """Shows what `api.links` answers."""

    def __init__(self, services: Services) -> None:
        """Take the links."""
        self._store = services.store
        self._links = links.Links(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        routes.show(_PATH, self.record, roles=ADMIN_OR_USER)
        routes.take(f"{_PATH}/retry", self.retry_record, roles=ADMIN_OR_USER)

    def record(self) -> ResponseReturnValue:
        """Show a record, found by its task or its event."""
        if not any(request.args.values()):
            return render_template("record_search.html")
        query = asking.query(links.LinkQuery)
        found = self._links.find_link(query).items
        if not found:
            return render_template("record_search.html", query=query), _NOT_FOUND
        (link,) = found
        last = link.history[0] if link.history else None
        return render_template(
            "record.html",
            link=link,
            title=link.title or meetings.UNTITLED,
            person=self._person(link.crm_user_id),
            is_failed=last is not None and last.outcome == Outcome.FAILED,
            meeting=(link.baseline or {}).get("meeting"),
        )

    def _person(self, user_id: str | None) -> Person | None:
        if user_id is None:
            return None
        organization_id = identity.caller().organization_id
        with self._store.read() as work:
            return people.of_users(work, organization_id, [user_id])[user_id]

    def retry_record(self) -> ResponseReturnValue:
        """Have a record looked at again; show what comes of it."""
        named = {name: value for name in _NAMES if (value := request.form.get(name))}
        body = asking.validated(links.RecordBody, **named)
        acting.attempt(
            lambda: self._links.retry_link(body),
            done="It is looked at again, without mail. Reload the page in a moment.",
        )
        return redirect(f"{_PATH}?{urlencode(named)}", HTTPStatus.SEE_OTHER)


_NAMES = ("task_id", "event_id")
_NOT_FOUND = HTTPStatus.NOT_FOUND
