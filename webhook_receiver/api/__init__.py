"""The JSON API, with its OpenAPI 3.1 document; one module for each kind of resource."""

from flask import Response, jsonify
from flask_openapi3.openapi import OpenAPI

from webhook_receiver.access import Access
from webhook_receiver.api import (
    conflicts,
    connections,
    crm,
    dead_letters,
    google_app,
    health,
    held_deletions,
    jobs,
    links,
    orphans,
    previews,
    settings,
    users,
)
from webhook_receiver.api.routes import PREFIX, SECURITY_SCHEMES, Routes, refuse
from webhook_receiver.api.shapes import Problem
from webhook_receiver.services import Services

__all__ = ["DESCRIPTION", "SECURITY_SCHEMES", "Problem", "refuse", "register"]

DESCRIPTION = (
    "Keeps a CRM's tasks and its users' Google Calendars in step. "
    "A page that is signed in may use its session instead of a token; its unsafe "
    "calls then carry the header `X-CSRF-Token`."
)


def register(app: OpenAPI, services: Services, access: Access) -> None:
    """Serve the API and its document."""
    routes = Routes(access)
    for resource in (
        google_app.GoogleApp(services),
        crm.Crm(services),
        settings.SettingsOfOrganization(services),
        connections.Connections(services),
        previews.Previews(services),
        jobs.Jobs(services),
        conflicts.Conflicts(services),
        held_deletions.HeldDeletions(services),
        links.Links(services),
        dead_letters.DeadLetters(services),
        orphans.Orphans(services),
        health.Health(services),
        users.Users(services),
    ):
        resource.register(routes)
    app.register_api(routes.blueprint)

    def document() -> Response:
        return jsonify(app.api_doc)

    app.add_url_rule(f"{PREFIX}/openapi.json", "openapi", document, methods=["GET"])
