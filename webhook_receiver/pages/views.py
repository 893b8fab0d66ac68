"""All pages together, and the one that everybody starts from."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from flask import Blueprint, g, redirect, render_template
from flask.typing import ResponseReturnValue

from webhook_receiver import sessions
from webhook_receiver.access import Access
from webhook_receiver.pages import (
    conflicts,
    dead_letters,
    held_deletions,
    history,
    me,
    meetings,
    orphans,
    overview,
    record,
    reference,
    settings,
    setup,
    troubleshooting,
    users,
)
from webhook_receiver.pages.labels import LABELS
from webhook_receiver.pages.routes import SIGN_IN, PageRoutes
from webhook_receiver.pages.viewer import Viewer, duration
from webhook_receiver.services import Services


class Part(Protocol):
    """Some of the pages."""

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        ...


_PARTS: tuple[Callable[[Services], Part], ...] = (
    conflicts.Conflicts,
    dead_letters.DeadLetters,
    held_deletions.HeldDeletions,
    orphans.Orphans,
    record.Record,
    history.History,
    me.Me,
    overview.Overview,
    reference.Reference,
    settings.SyncSettings,
    setup.Setup,
    troubleshooting.Help,
    users.Users,
)


class Pages:
    """All pages, of people who are signed in and of those who are not."""

    def __init__(self, services: Services, access: Access) -> None:
        """Take the store and who lets users in."""
        self._store = services.store
        self._access = access
        self._routes = PageRoutes(services.store, access)
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
            "shown": meetings.shown,
            "field_names": meetings.FIELDS,
            "advice_of": troubleshooting.of_reason,
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
