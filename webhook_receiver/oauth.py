"""The two addresses that a browser visits around Google's consent page."""

import logging
from http import HTTPStatus

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from shared.adapters.store.states import Role
from shared.domain import access, errors
from webhook_receiver import consents, pages, problems
from webhook_receiver.access import Access
from webhook_receiver.services import Services

log = logging.getLogger(__name__)

_OF_SETUP = {consents.Outcome.APP_VERIFIED, consents.Outcome.APP_DENIED}

APP_MISSING = (
    "The Google app of the organization is not set up yet. "
    "An administrator of the CRM has to do that first."
)


class OAuth:
    """Connect and callback; both answer with pages."""

    def __init__(self, services: Services, access: Access) -> None:
        """Take who lets users in."""
        self._access = access
        self._consents = consents.Consents(services)

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("oauth", __name__, url_prefix="/api/calendar-sync")
        routes.add_url_rule("/connect", "connect", self.connect, methods=["GET"])
        routes.add_url_rule("/callback", "callback", self.callback, methods=["GET"])
        return routes

    def connect(self) -> ResponseReturnValue:
        """Send a signed-in user to Google; with `start=later` nothing is synced yet."""
        caller = self._access.authenticate()
        if caller.crm_user_id is None:
            detail = "You are not signed in as a user of the CRM."
            raise problems.ProblemError(HTTPStatus.FORBIDDEN, detail)
        try:
            url = self._consents.begin(
                caller.organization_id,
                caller.crm_user_id,
                waits_for_start=request.args.get("start") == "later",
            )
        except consents.AppMissingError:
            raise problems.ProblemError(HTTPStatus.CONFLICT, APP_MISSING) from None
        return redirect(url, HTTPStatus.FOUND)

    def callback(self) -> ResponseReturnValue:
        """Take what a user decided at Google; it needs nothing but `state`."""
        try:
            outcome = self._consents.finish(request.args)
        except errors.SyncError as error:
            log.warning("A consent did not succeed: %s", error)
            raise _failure(error) from error
        caller = self._access.signed_in()
        if caller is not None:
            is_setup = outcome in _OF_SETUP and caller.role == Role.ADMIN
            page = "/admin/setup" if is_setup else "/me"
            return redirect(f"{page}?notice={outcome}", HTTPStatus.SEE_OTHER)
        return pages.result(outcome)


def _failure(error: errors.SyncError) -> problems.ProblemError:
    match error:
        case consents.StateError():
            status = HTTPStatus.BAD_REQUEST
            detail = (
                "This address works once, and for ten minutes. "
                "Go back to where you came from and connect again."
            )
        case errors.ClientRefusedError() | consents.AppMissingError():
            status = HTTPStatus.BAD_GATEWAY
            detail = (
                "Google does not accept the client id and secret of your organization. "
                "An administrator of the CRM has to correct them."
            )
        case errors.AdminPolicyError():
            status = HTTPStatus.BAD_REQUEST
            detail = access.Problem.ADMIN_POLICY.detail
        case errors.RemoteUnavailableError() | errors.RateLimitError():
            status = HTTPStatus.SERVICE_UNAVAILABLE
            detail = "That did not work at the moment. Connect again in a minute."
        case _:
            status = HTTPStatus.BAD_REQUEST
            detail = "Google did not let you in this time. Please connect again."
    return problems.ProblemError(status, detail)
