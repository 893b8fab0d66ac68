"""The setup: the Google app, the CRM, and how the CRM reaches us."""

from http import HTTPStatus
from typing import Literal

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from shared.adapters import google_oauth
from shared.adapters.store.states import CrmState, GoogleAppState
from webhook_receiver import own_deliveries, problems
from webhook_receiver.api import crm, google_app
from webhook_receiver.pages import confirming, forms, setup_texts, texts
from webhook_receiver.pages.confirming import Question
from webhook_receiver.pages.forms import Form
from webhook_receiver.pages.routes import ADMIN, PageRoutes
from webhook_receiver.services import Services

PATH = "/admin/setup"

_GOOD_APP = {GoogleAppState.ACCEPTED, GoogleAppState.VERIFIED}


class Setup:
    """Shows and does what `api.google_app` and `api.crm` do."""

    def __init__(self, services: Services) -> None:
        """Take the calls."""
        self._app = google_app.GoogleApp(services)
        self._crm = crm.Crm(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the page, and what its forms are sent to."""
        routes.show(PATH, self.setup, roles=ADMIN)
        routes.show(f"{PATH}/connect", self.connect_app, roles=ADMIN)
        for path, view in (
            ("google-app", self.save_app),
            ("google-app/check", self.check_app),
            ("crm", self.save_crm),
            ("crm/check", self.check_crm),
            ("test-delivery", self.test_delivery),
            ("webhook-secret", self.rotate_secret),
            ("webhook-secret/finish", self.finish_secret),
        ):
            routes.take(f"{PATH}/{path}", view, roles=ADMIN)

    def setup(self) -> ResponseReturnValue:
        """Show what is set up, and how to set up the rest."""
        return self._page()

    # -- the Google app -----------------------------------------------------------

    def save_app(self) -> ResponseReturnValue:
        """Set the client id and secret, and check them."""
        values = forms.given("client_id", "client_secret")
        try:
            self._app.set_google_app(forms.body(google_app.GoogleAppBody, values))
        except problems.ProblemError as error:
            # A secret is never sent back to a browser.
            kept = {"client_id": values["client_id"]}
            return self._page(app=Form(values=kept, mistakes=forms.mistakes(error)))
        return self.check_app()

    def check_app(self) -> ResponseReturnValue:
        """Ask Google about the client id and secret."""
        try:
            state = self._app.check_google_app().state
        except forms.REFUSALS as error:
            flash(f"The credentials are not checked. {forms.reason(error)}", "danger")
            return _back()
        word = setup_texts.GOOGLE_APP[state].word
        flash(f"Google app: {word}.", "success" if state in _GOOD_APP else "danger")
        return _back()

    def connect_app(self) -> ResponseReturnValue:
        """Send the admin to Google's consent page."""
        # By a link, not a form: browsers do not let forms lead to other sites.
        try:
            url = self._app.connect_google_app().authorization_url
        except problems.ProblemError as error:
            flash(forms.reason(error), "danger")
            return _back()
        return redirect(url, HTTPStatus.FOUND)

    # -- the CRM ------------------------------------------------------------------

    def save_crm(self) -> ResponseReturnValue:
        """Set the address and the key, and check them; an empty key stays."""
        values = forms.given("crm_url", "api_key")
        changes = {k: v for k, v in values.items() if v or k == "crm_url"}
        try:
            self._crm.set_crm(forms.body(crm.CrmBody, changes))
        except problems.ProblemError as error:
            kept = {"crm_url": values["crm_url"]}
            return self._page(
                crm_form=Form(values=kept, mistakes=forms.mistakes(error))
            )
        return self.check_crm()

    def check_crm(self) -> ResponseReturnValue:
        """Have a worker ask the CRM for its users."""
        try:
            self._crm.check_crm()
        except forms.REFUSALS as error:
            flash(f"The CRM is not checked. {forms.reason(error)}", "danger")
        else:
            flash("The CRM is being asked for its users.", "success")
        return _back()

    # -- how the CRM reaches us ---------------------------------------------------

    def test_delivery(self) -> ResponseReturnValue:
        """Send a delivery to our own public address; say how it ended."""
        sent = self._crm.send_test_delivery()
        is_good = sent.outcome is own_deliveries.Arrival.ACCEPTED
        status = f" (It answered with status {sent.status}.)" if sent.status else ""
        text = setup_texts.DELIVERIES[sent.outcome]
        flash(text if is_good else text + status, "success" if is_good else "danger")
        return _back()

    def rotate_secret(self) -> ResponseReturnValue:
        """Show a new webhook secret, this once."""
        try:
            new = self._crm.rotate_webhook_secret().secret
        except problems.ProblemError as error:
            flash(forms.reason(error), "danger")
            return _back()
        # Not after a redirect: nothing keeps the secret until then.
        return render_template("setup_secret.html", secret=new)

    def finish_secret(self) -> ResponseReturnValue:
        """Accept only one of the secrets from now on."""
        keep: Literal["new", "old"] = (
            "old" if request.form.get("keep") == "old" else "new"
        )
        dropped = "new" if keep == "old" else "old"
        if not confirming.is_confirmed():
            question = Question(
                title=f"Drop the {dropped} webhook secret?",
                text=f"Webhooks that the CRM signs with the {dropped} secret are "
                "refused from then on, and their changes wait for the next poll.",
                button=f"Drop the {dropped} secret",
                back=f"{PATH}#webhooks",
                fields=[("keep", keep)],
            )
            return confirming.ask(question)
        self._crm.finish_webhook_secret(crm.FinishBody(keep=keep))
        flash(f"Only the {keep} webhook secret is accepted now.", "success")
        return _back()

    def _page(
        self, *, app: Form | None = None, crm_form: Form | None = None
    ) -> ResponseReturnValue:
        document = self._app.read_google_app()
        crm_document = self._crm.read_crm()
        state = setup_texts.GOOGLE_APP.get(document.state, setup_texts.MISSING)
        page = render_template(
            "setup.html",
            app=document,
            app_state=state if document.client_id else setup_texts.MISSING,
            app_form=app or Form(values={"client_id": document.client_id or ""}),
            crm=crm_document,
            crm_state=setup_texts.CRM[crm_document.state],
            crm_form=crm_form or Form(values={"crm_url": crm_document.crm_url}),
            is_checking=crm_document.state == CrmState.CHECKING,
            scopes=google_oauth.SCOPES,
            notice=texts.OUTCOMES.get(request.args.get("notice", "")),
        )
        is_bad = app is not None or crm_form is not None
        return page, HTTPStatus.UNPROCESSABLE_ENTITY if is_bad else HTTPStatus.OK


def _back() -> ResponseReturnValue:
    return redirect(PATH, HTTPStatus.SEE_OTHER)
