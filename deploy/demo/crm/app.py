"""The simulated CRM as one Flask application."""

import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Flask, Response, jsonify, request, send_file
from werkzeug.exceptions import HTTPException

from deploy.demo import admin_input
from deploy.demo import clock as clocks
from deploy.demo.crm import (
    admin,
    api,
    operations,
    pages,
    problems,
    state,
    tasks,
    webhooks,
)

CONTRACT = Path(__file__).with_name("crm-api.yaml")
"""What the API keeps to; served as `/crm-api.yaml`."""


def create_app(
    held: state.State,
    *,
    schedule: webhooks.Schedule,
    post: webhooks.Post,
    subscription: webhooks.Subscription | None = None,
    clock: clocks.Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Flask:
    """Return the application over a state; webhooks of the last run go on their way.

    Left out, time is the machine's, and webhooks go nowhere.
    """
    ticking = clock or clocks.SystemClock()
    knobs = api.Knobs()
    outbox = webhooks.Outbox(
        held, ticking, disturbed=knobs.faults, schedule=schedule, post=post
    )
    outbox.subscription = subscription or webhooks.Subscription()
    outbox.resume()
    kept = tasks.Tasks(held=held, ticking=ticking)
    blueprint = Blueprint("crm", __name__)
    api.Api(held=held, ticking=ticking, tasks=kept, knobs=knobs, sleep=sleep).register(
        blueprint
    )
    admin.Admin(held=held, ticking=ticking, outbox=outbox, knobs=knobs).register(
        blueprint
    )
    blueprint.add_url_rule("/crm-api.yaml", "contract", _contract)
    page = pages.Pages(held=held, tasks=kept)
    return _assemble(blueprint, pages.create_blueprint(page))


def _assemble(*blueprints: Blueprint) -> Flask:
    app = Flask(__name__, static_folder=None)
    # A lost connection has to reach the server, a mistake the test.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.register_error_handler(problems.ProblemError, operations.refusal)
    app.register_error_handler(admin_input.InputError, _complain)
    app.register_error_handler(HTTPException, _explain)
    return app


def _contract() -> Response:
    return send_file(CONTRACT, mimetype="application/yaml", max_age=0)


def _complain(error: admin_input.InputError) -> tuple[Response, int]:
    return jsonify({"error": str(error)}), HTTPStatus.BAD_REQUEST


def _explain(error: HTTPException) -> Response | HTTPException:
    if not request.path.startswith(f"{api.PREFIX}/"):
        return error
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {k: v for k, v in error.get_headers() if k in ("Allow", "Location")}
    return operations.refusal(problems.ProblemError(status, headers=headers))
