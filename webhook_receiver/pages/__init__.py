"""The pages: plain HTML that works without scripts.

What a page shows comes in as plain values; the views are in `pages.views`.
"""

from http import HTTPStatus

from flask import Response, make_response, render_template

from webhook_receiver.pages import texts


def result(outcome: str) -> Response:
    """Return the page at the end of a consent, for people who are not signed in."""
    return make_response(render_template("result.html", text=texts.OUTCOMES[outcome]))


def error(status: HTTPStatus, detail: str) -> Response:
    """Return the page for a request that is refused."""
    page = render_template("error.html", status=status, detail=detail)
    return make_response(page, status)
