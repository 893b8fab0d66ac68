"""The page where a person chooses an account and grants or refuses what an app asks."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from deploy.demo.google import (
    oauth_accounts,
    oauth_clients,
    oauth_consent,
    oauth_errors,
    oauth_request,
    oauth_scopes,
)

PATH = "/o/oauth2/v2/auth"
# The page's own parameter for the account that was clicked in the chooser.
_CHOSEN = "authuser"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPages:
    """The views; `register` adds them to a blueprint."""

    clients: oauth_clients.Clients
    consent: oauth_consent.Consent
    accounts: oauth_accounts.Directory

    def register(self, blueprint: Blueprint) -> None:
        """Serve the pages under `PATH`."""
        blueprint.add_url_rule(PATH, "ask", self.ask, methods=["GET"])
        blueprint.add_url_rule(PATH, "answer", self.answer, methods=["POST"])

    def ask(self) -> ResponseReturnValue:
        """Show the account chooser or the consent screen, or pass straight on."""
        try:
            wanted = oauth_request.parse(request.args, self.clients)
        except oauth_errors.OAuthError as error:
            return blocked(error)
        account = self._account(wanted)
        if account is None:
            if "none" in wanted.prompts:
                return redirect(wanted.redirect(error="interaction_required"))
            return self._chooser(wanted)
        if self.consent.is_settled(wanted, account.address):
            everything = self.consent.allow(wanted, account.address, wanted.scopes)
            return redirect(everything)
        if "none" in wanted.prompts:
            return redirect(wanted.redirect(error="consent_required"))
        return self._screen(wanted, account)

    def answer(self) -> ResponseReturnValue:
        """Take the consent form: fields `account`, `decision` and ticked `scope`s."""
        try:
            wanted = oauth_request.parse(request.args, self.clients)
            account = oauth_accounts.find(
                self.accounts(), request.form.get("account", "")
            )
            if account is None:
                description = "Invalid parameter value for account"
                raise oauth_errors.invalid_request(description)
        except oauth_errors.OAuthError as error:
            return blocked(error)
        if request.form.get("decision") != "allow":
            return redirect(self.consent.deny(wanted))
        ticked = request.form.getlist("scope")
        return redirect(self.consent.allow(wanted, account.address, ticked))

    def _account(
        self, wanted: oauth_request.AuthorizationRequest
    ) -> oauth_accounts.Account | None:
        if chosen := request.args.get(_CHOSEN):
            return oauth_accounts.find(self.accounts(), chosen)
        if "select_account" in wanted.prompts or not wanted.login_hint:
            return None
        return oauth_accounts.find(self.accounts(), wanted.login_hint)

    def _chooser(
        self, wanted: oauth_request.AuthorizationRequest
    ) -> ResponseReturnValue:
        accounts = [(a, _link(a.address)) for a in self.accounts()]
        return render_template("choose.html", accounts=accounts, app=wanted.client)

    def _screen(
        self,
        wanted: oauth_request.AuthorizationRequest,
        account: oauth_accounts.Account,
    ) -> ResponseReturnValue:
        return render_template(
            "consent.html",
            account=account,
            app=wanted.client,
            question=self.consent.question(wanted, account.address),
            texts=oauth_scopes.texts(),
            other=_link(""),
        )


def blocked(error: oauth_errors.OAuthError) -> ResponseReturnValue:
    """Return the page for what Google does not report back to the app."""
    status = HTTPStatus(error.status)
    return render_template("blocked.html", error=error, status=status), status


def _link(chosen: str) -> str:
    """Return this address with another account chosen; none leads to the chooser."""
    query = request.args.to_dict()
    query.pop(_CHOSEN, None)
    if chosen:
        query[_CHOSEN] = chosen
    else:
        query["prompt"] = " ".join(
            sorted({*query.get("prompt", "").split(), "select_account"})
        )
    return f"{PATH}?{urlencode(query)}"
