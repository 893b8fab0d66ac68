"""Reads the bodies of requests, up to a limit."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

LARGEST = 256 * 1024


def read() -> bytes:
    """Return the body; raises `RequestEntityTooLarge`, or another `HTTPException`."""
    # Of a body that comes in pieces, werkzeug cuts off what is beyond its limit.
    request.max_content_length = LARGEST + 1
    body = request.get_data()
    if len(body) > LARGEST:
        raise RequestEntityTooLarge
    return body
