"""How the receiver says no: `application/problem+json` (RFC 9457), or a page.

Whoever refuses raises a `ProblemError`; what the adapters raise is translated here.
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, request
from gunicorn.http.errors import (  # type: ignore[import-untyped] # ships no types
    NoMoreData,
    ParseException,
)
from werkzeug.exceptions import HTTPException

from shared.domain import errors
from webhook_receiver import pages

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class ProblemError(HTTPException):
    """The request is refused; `fields` maps each bad field to what is wrong with it."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        fields: Mapping[str, str] | None = None,
        current: Mapping[str, object] | None = None,
    ) -> None:
        """Take a sentence that tells the caller what to do.

        `current` is the state of what the caller wanted to change.
        """
        super().__init__(detail)
        self.code = status
        self.fields = dict(fields or {})
        self.current = current


def not_found() -> ProblemError:
    """Return the refusal for what is not there, or is not the caller's."""
    return ProblemError(HTTPStatus.NOT_FOUND, "There is no such thing.")


def invalid(fields: Mapping[str, str]) -> ProblemError:
    """Return the refusal for a body with bad fields."""
    detail = "Some fields are not valid."
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields=fields)


def answer(
    status: HTTPStatus,
    detail: str,
    fields: Mapping[str, str] | None = None,
    current: Mapping[str, object] | None = None,
) -> Response:
    """Return the problem document."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
    if fields:
        document["errors"] = [
            {"field": field, "detail": text} for field, text in fields.items()
        ]
    if current is not None:
        document["current"] = current
    return Response(json.dumps(document), status, content_type=MEDIA_TYPE)


def register(app: Flask) -> None:
    """Let the application answer errors with problems, or with pages."""
    app.register_error_handler(HTTPException, _refuse)
    # The server finds a malformed body only when it is read.
    app.register_error_handler(ParseException, _malformed)
    app.register_error_handler(NoMoreData, _malformed)
    app.register_error_handler(errors.BrokerConnectionError, _unavailable)
    app.register_error_handler(errors.RemoteUnavailableError, _unavailable)
    app.register_error_handler(errors.RecordBusyError, _busy)
    app.register_error_handler(errors.ConfigurationError, _misconfigured)


def _refuse(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = error.description or status.phrase
    if _is_for_machines():
        refusal = (
            answer(status, detail, error.fields, error.current)
            if isinstance(error, ProblemError)
            else answer(status, detail)
        )
    else:
        refusal = pages.error(status, detail)
    for name, value in error.get_headers(request.environ):
        if name.lower() != "content-type":
            refusal.headers[name] = value
    if status == HTTPStatus.UNAUTHORIZED:
        refusal.headers["WWW-Authenticate"] = "Bearer"
    return refusal


def _is_for_machines() -> bool:
    if request.blueprint == "oauth":
        return False
    return request.path.startswith(("/api/", "/webhooks/"))


def _malformed(error: Exception) -> Response:
    log.warning("Refused a malformed request: %s", type(error).__name__)
    detail = "The body cannot be read."
    return _refuse(ProblemError(HTTPStatus.BAD_REQUEST, detail))


def _unavailable(error: errors.SyncError) -> Response:
    log.warning("Could not answer a request: %s", error)
    detail = "A part that is needed for this does not answer. Try again in a minute."
    return _refuse(ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail))


def _busy(_: errors.RecordBusyError) -> Response:
    detail = "Somebody else changed the same thing at the same time. Try again."
    return _refuse(ProblemError(HTTPStatus.CONFLICT, detail))


def _misconfigured(error: errors.ConfigurationError) -> Response:
    log.error("The configuration is not usable: %s", error)
    detail = "The service is not configured correctly. Its operator has to mend that."
    return _refuse(ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail))
