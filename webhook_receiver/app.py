"""Puts the receiver together."""

from http import HTTPStatus

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from webhook_receiver import (
    access,
    api,
    bodies,
    headers,
    monitoring,
    oauth,
    problems,
    sessions,
    signin,
    webhooks,
)
from webhook_receiver.pages import views
from webhook_receiver.services import Services


def create_app(services: Services) -> Flask:
    """Return the application; it touches no service before a request does."""
    app = OpenAPI(
        __name__,
        info=Info(title="calendar-sync", version="1", description=api.DESCRIPTION),
        security_schemes=api.SECURITY_SCHEMES,
        # All operations document their refusals themselves, this one among them.
        validation_error_status=int(HTTPStatus.BAD_REQUEST),
        validation_error_model=api.Problem,
        validation_error_callback=api.refuse,
        doc_ui=False,
        static_folder=None,
        # Bootstrap's own files are served below this path, too.
        static_url_path="/static",
    )
    app.config["MAX_CONTENT_LENGTH"] = bodies.LARGEST
    app.url_map.merge_slashes = False  # addresses have one spelling
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    sessions.configure(app, services.keys, services.public_url)
    headers.register(app, services.public_url)
    problems.register(app)
    gate = access.Access(services)
    for part in (
        webhooks.Webhooks(services),
        monitoring.Monitoring(services),
        oauth.OAuth(services, gate),
        signin.SignIn(services),
        views.Pages(services, gate),
    ):
        app.register_blueprint(part.blueprint())
    api.register(app, services, gate)
    return app
