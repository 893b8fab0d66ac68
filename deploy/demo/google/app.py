"""The simulated Google as one Flask application."""

import io
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException

from deploy.demo import admin_input
from deploy.demo import clock as clocks
from deploy.demo.google import (
    admin,
    answers,
    api,
    channels,
    delivery,
    errors,
    grants,
    model,
    oauth,
    pages,
    state,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def create_app(
    held: state.State,
    *,
    clock: clocks.Clock | None = None,
    sender: delivery.Sender | None = None,
    oauth_server: oauth.Server | None = None,
    resolve_token: grants.TokenResolver | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Flask:
    """Return the application over a state.

    Left out, time is the machine's, notifications travel over HTTP, and OAuth keeps
    its state in memory.
    """
    ticking = clock or clocks.SystemClock()
    knobs = api.Knobs()
    signed = oauth_server or oauth.Server(ticking)
    watched = channels.Channels(
        held, ticking, sender or delivery.HttpSender(), knobs.faults
    )
    blueprint = Blueprint("google", __name__)
    api.Api(
        held=held,
        ticking=ticking,
        watched=watched,
        knobs=knobs,
        resolve_token=resolve_token or signed.tokens.resolve,
        sleep=sleep,
    ).register(blueprint)
    admin.Admin(
        held=held,
        ticking=ticking,
        watched=watched,
        knobs=knobs,
        forget_grants=signed.forget_grants,
    ).register(blueprint)
    return _assemble(
        blueprint,
        oauth.create_blueprint(signed, held.list_accounts),
        pages.create_blueprint(held.list_accounts, held.list_mails),
    )


def _assemble(*blueprints: Blueprint) -> Flask:
    app = Flask(__name__, static_folder=None)
    # A lost connection has to reach the server, a mistake the test.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.register_error_handler(errors.ApiError, _refuse)
    app.register_error_handler(admin_input.InputError, _complain)
    app.register_error_handler(HTTPException, _explain)
    app.wsgi_app = MethodOverride(app.wsgi_app)  # type: ignore[method-assign] # Flask's own way to add one
    return app


class MethodOverride:
    """Turns a POST that stands for a long GET back into one (fact 266)."""

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap an application."""
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        wanted = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        if environ["REQUEST_METHOD"] == "POST" and wanted:
            environ["REQUEST_METHOD"] = wanted
            if wanted == "GET":
                length = int(environ.get("CONTENT_LENGTH") or 0)
                query = environ["wsgi.input"].read(length).decode("latin-1")
                environ["QUERY_STRING"] = query
                environ["CONTENT_LENGTH"] = "0"
                environ["wsgi.input"] = io.BytesIO()
        return self._app(environ, start_response)


def _refuse(error: errors.ApiError) -> Response:
    return answers.as_json(error.envelope(), error.status)


def _complain(problem: admin_input.InputError) -> Response:
    body: model.Json = {"error": str(problem)}
    return answers.as_json(body, HTTPStatus.BAD_REQUEST)


def _explain(error: HTTPException) -> Response | HTTPException:
    if not request.path.startswith("/calendar/v3/"):
        return error
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    refused = errors.ApiError(status, "notFound", status.phrase)
    return answers.as_json(refused.envelope(), status)
