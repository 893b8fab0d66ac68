"""The sync settings: every one with what it means, and large changes told first."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from webhook_receiver import identity, problems
from webhook_receiver.api.settings import SettingsBody, SettingsOfOrganization
from webhook_receiver.pages import (
    confirming,
    consequences,
    forms,
    settings_form,
    settings_texts,
)
from webhook_receiver.pages.forms import Form
from webhook_receiver.pages.routes import ADMIN, PageRoutes
from webhook_receiver.services import Services

PATH = "/admin/settings"
SAVED = "The settings are saved."
BACK = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeLine:
    """A type of tasks as the form shows it; `number` tells the lines apart."""

    number: int
    name: str


class SyncSettings:
    """Shows and does what `api.settings` does."""

    def __init__(self, services: Services) -> None:
        """Take the calls, and the store that tells how much a change concerns."""
        self._settings = SettingsOfOrganization(services)
        self._store = services.store

    def register(self, routes: PageRoutes) -> None:
        """Add the page."""
        routes.show(PATH, self.sync_settings, roles=ADMIN)
        routes.take(PATH, self.save_settings, roles=ADMIN)

    def sync_settings(self) -> ResponseReturnValue:
        """Show the settings."""
        document = self._settings.read_settings().model_dump(mode="json")
        values = settings_form.values_of(document, self._seen_types())
        return self._page(Form(values=values))

    def save_settings(self) -> ResponseReturnValue:
        """Save the settings, after telling what a large change brings about."""
        values = dict(request.form)
        if BACK in values:
            return self._page(Form(values=values))
        try:
            body = forms.body(SettingsBody, settings_form.document_of(values))
            old, new = self._settings.weigh_settings(body)
        except problems.ProblemError as error:
            mistakes = settings_form.named(forms.mistakes(error), values)
            form = Form(values=values, mistakes=mistakes)
            return self._page(form), HTTPStatus.UNPROCESSABLE_ENTITY
        if not confirming.is_confirmed():
            with self._store.read() as work:
                own = identity.caller().organization_id
                extent = consequences.Extent.of(work, own)
            if told := consequences.of_change(old, new, extent):
                return self._ask(values, told)
        return self._save(body)

    def _save(self, body: SettingsBody) -> ResponseReturnValue:
        try:
            self._settings.change_settings(body)
        except forms.REFUSALS as error:
            flash(f"The settings are not saved. {forms.reason(error)}", "danger")
        else:
            flash(SAVED, "success")
        return redirect(PATH, HTTPStatus.SEE_OTHER)

    def _ask(self, values: Mapping[str, str], told: list[str]) -> str:
        return render_template(
            "settings_confirm.html",
            told=told,
            values=settings_form.sent_again(values),
            back=BACK,
        )

    def _page(self, form: Form) -> str:
        return render_template(
            "settings.html",
            form=form,
            types=[
                TypeLine(number=number, name=name)
                for number, name in settings_form.types_of(form.values)
            ],
            names=settings_form.names_of(form.values),
            ids=settings_form.ANCHORS,
            texts=settings_texts,
            numbers=settings_form.LIMITS,
        )

    def _seen_types(self) -> list[str]:
        """Return the types of the tasks that are synced or once were."""
        with self._store.read() as work:
            return work.links.task_types(identity.caller().organization_id)
