"""The web pages of the simulated Google: accounts, the week of one, the mails sent.

The week itself is an empty frame; the scripts beside it fill it through the Calendar
API, acting as the account with its `demo-` access token.
"""

from collections.abc import Callable, Sequence
from datetime import date
from http import HTTPStatus

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from deploy.demo.google import model, oauth_accounts

_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"


_MOST_MAILS = 200


def create_blueprint(
    accounts: oauth_accounts.Directory, mails: Callable[[], Sequence[model.Mail]]
) -> Blueprint:
    """Return the pages; each request asks for all accounts, or the mails."""
    blueprint = Blueprint(
        "pages",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/calendar/static",
    )

    @blueprint.get("/")
    def choose() -> ResponseReturnValue:
        return render_template("accounts.html", accounts=accounts(), missing="")

    @blueprint.get("/calendar")
    def calendar() -> ResponseReturnValue:
        address = request.args.get("account", "")
        account = oauth_accounts.find(accounts(), address)
        if account is None:
            page = render_template(
                "accounts.html", accounts=accounts(), missing=address
            )
            return page, HTTPStatus.NOT_FOUND
        return render_template(
            "calendar.html",
            account=account,
            accounts=accounts(),
            week=_week(request.args.get("week", "")),
        )

    @blueprint.get("/mails")
    def list_mails() -> ResponseReturnValue:
        latest = list(reversed(mails()))[:_MOST_MAILS]
        return render_template("mails.html", mails=latest)

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        # The scripts change with the code; a demo must never mix two versions.
        response.headers["Cache-Control"] = "no-cache"
        return response

    return blueprint


def _week(text: str) -> str:
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        abort(HTTPStatus.BAD_REQUEST, "week: must be a date such as 2026-11-23")
