"""The answers of the Calendar API: Google's JSON, checked before it leaves."""

import json
import logging
from http import HTTPStatus

from flask import Response, request

from deploy.demo import faults
from deploy.demo.google import discovery, errors, model, partial, schemas

_log = logging.getLogger(__name__)


def as_json(body: model.Json, status: int = HTTPStatus.OK) -> Response:
    """Return a JSON answer in Google's content type."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(
        text, status=int(status), content_type="application/json; charset=UTF-8"
    )


def checked(
    method: discovery.Method, answer: model.Json | None, chosen: partial.Selection
) -> Response:
    """Return what a method answers, as far as its client chose to see it."""
    if answer is None:
        return Response(status=HTTPStatus.NO_CONTENT)
    try:
        schemas.check_response(method.response, answer)
    except schemas.SchemaError as error:
        # The simulator is wrong, not its client: say so where a test sees it.
        _log.error("An answer to %s broke its schema: %s", method.id, error)
        refused = errors.backend_error()
        return as_json(refused.envelope(), refused.status)
    etag = answer.get("etag", "")
    is_known = request.headers.get("If-None-Match") == etag
    if etag and is_known and method.http_method == "GET":
        return Response(status=HTTPStatus.NOT_MODIFIED)
    response = as_json(partial.select(answer, chosen))
    if etag:
        response.headers["ETag"] = etag
    return response


def refusal(error: errors.ApiError, fault: faults.Fault) -> Response:
    """Return the error that a fault orders, with its wish for patience."""
    response = as_json(error.envelope(), error.status)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response
