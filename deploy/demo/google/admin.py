"""What tests and the demo ask of the simulator behind Google's back: `/_admin`."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request

from deploy.demo import admin_input, clock
from deploy.demo.google import (
    api,
    channels,
    errors,
    fault_errors,
    model,
    provisioning,
    rendering,
    splitting,
    state,
    writing,
)


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The views; `register` adds them to a blueprint. Bad input answers 400."""

    held: state.State
    ticking: clock.Clock
    watched: channels.Channels
    knobs: api.Knobs
    forget_grants: Callable[[], None]

    def register(self, blueprint: Blueprint) -> None:
        """Serve the admin endpoints."""
        for path, view, *verbs in (
            ("healthz", self.healthz, "GET"),
            ("accounts", self.list_accounts, "GET"),
            ("accounts", self.add_account, "POST"),
            ("calendars", self.add_calendar, "POST"),
            ("calendars/<calendar_id>", self.remove_calendar, "DELETE"),
            ("events", self.plant_event, "POST"),
            ("split-series", self.split_series, "POST"),
            ("requests", self.requests, "GET", "DELETE"),
            ("mails", self.mails, "GET", "DELETE"),
            ("faults", self.faults, "GET", "POST", "DELETE"),
            ("quota", self.quota, "POST"),
            ("empty-pages", self.empty_pages, "POST"),
            ("expire-sync-tokens", self.expire_sync_tokens, "POST"),
            ("clear", self.clear, "POST"),
            ("state", self.state, "GET"),
            ("channels", self.channels, "GET"),
        ):
            blueprint.add_url_rule(
                f"/_admin/{path}", view.__name__, view, methods=list(verbs)
            )
        blueprint.add_url_rule("/healthz", "health", self.healthz, methods=["GET"])

    def healthz(self) -> Response:
        """Say that the simulator is up."""
        return jsonify({"status": "ok"})

    def list_accounts(self) -> Response:
        """List the accounts."""
        found = [_shown(account) for account in self.held.list_accounts()]
        return jsonify({"accounts": found})

    def add_account(self) -> Response:
        """Add an account: address, time_zone (default UTC), name."""
        body = admin_input.Body.read()
        account = provisioning.add_account(
            self.held,
            self.ticking.now(),
            address=body.address("address"),
            name=body.text("name", ""),
            time_zone=body.zone("time_zone", "UTC"),
        )
        return jsonify(_shown(account))

    def add_calendar(self) -> Response:
        """Add a calendar to an account's list.

        Fields: account; id (default: made up), summary, time_zone, access_role
        (default owner), description. A role below owner is on somebody else's calendar.
        """
        body = admin_input.Body.read()
        account = self._account(body.text("account"))
        role = body.member("access_role", model.Role, model.Role.OWNER)
        calendar = provisioning.add_calendar(
            self.held,
            self.ticking.now(),
            account.address,
            model.Calendar(
                id=body.text("id", ""),
                owner=account.address if role is model.Role.OWNER else "",
                summary=body.text("summary", body.text("id", "Calendar")),
                time_zone=body.zone("time_zone", account.time_zone),
                description=body.text("description", ""),
            ),
            role,
        )
        return jsonify(calendar.to_json() | {"access_role": role.value})

    def remove_calendar(self, calendar_id: str) -> Response:
        """Take a calendar off the list of `?account=`, or off everybody's."""
        asked = request.args.get("account")
        accounts = [
            account
            for account, listed in list(self.held.memberships)
            if listed == calendar_id
            and asked in (None, account)
            and not self.held.memberships[account, listed].is_deleted
        ]
        if not accounts:
            raise errors.not_found()
        for account in accounts:
            now = self.ticking.now()
            provisioning.remove_calendar(self.held, now, account, calendar_id)
        return _done()

    def plant_event(self) -> Response:
        """Put an event on a calendar as no client could: calendar, event."""
        body = admin_input.Body.read()
        calendar = self._calendar(body.text("calendar"))
        copy = provisioning.plant_event(
            self.held, self.ticking.now(), calendar, body.object("event")
        )
        return jsonify(self._render(copy))

    def split_series(self) -> Response:
        """Change an occurrence and all after it: calendar, event_id, changes."""
        body = admin_input.Body.read()
        calendar = self._calendar(body.text("calendar"))
        with self.held.transaction(self.ticking.now()) as tx:
            edit = writing.Edit(
                tx=tx, calendar=calendar, account=calendar.owner or calendar.id
            )
            changes = body.object("changes")
            copy = splitting.split(edit, body.text("event_id"), changes)
        return jsonify(self._render(copy))

    def requests(self) -> Response:
        """List the logged requests after `?since_id=`, or forget them."""
        if request.method == "DELETE":
            self.knobs.requests.clear()
            return _done()
        since = admin_input.number(request.args.get("since_id", "0"), "since_id")
        return jsonify({"requests": self.knobs.requests.since(since)})

    def mails(self) -> Response:
        """List the recorded mails, or forget them."""
        if request.method == "DELETE":
            self.held.clear_mails()
            return _done()
        found = [mail.to_json() for mail in self.held.list_mails()]
        return jsonify({"mails": found})

    def faults(self) -> Response:
        """List the faults in force, add one, or withdraw all."""
        if request.method == "DELETE":
            self.knobs.faults.clear()
            return _done()
        if request.method == "POST":
            fault = fault_errors.read(admin_input.Body.read())
            return jsonify({"id": self.knobs.faults.add(fault)})
        return jsonify({"faults": self.knobs.faults.listed()})

    def quota(self) -> Response:
        """Limit the requests per user: per_minute_per_user (or null), status."""
        body = admin_input.Body.read()
        limit = body.optional_number("per_minute_per_user")
        status = body.status("status") or HTTPStatus.FORBIDDEN
        self.knobs.quota.limit(limit, HTTPStatus(status))
        return _done()

    def empty_pages(self) -> Response:
        """Put an empty page before each page of a list, or stop that: on."""
        self.knobs.empty_pages = admin_input.Body.read().flag("on")
        return _done()

    def expire_sync_tokens(self) -> Response:
        """Kill the sync tokens of `calendar`, or all of them."""
        calendar_id = admin_input.Body.read().text("calendar", "") or None
        found = provisioning.expire_sync_tokens(
            self.held, self.ticking.now(), calendar_id
        )
        if calendar_id and not found:
            raise errors.not_found()
        return jsonify({"expired": found})

    def clear(self) -> Response:
        """Forget all but the accounts; OAuth grants go too when `grants` is true."""
        forgets_grants = admin_input.Body.read().flag("grants", default=False)
        self.held.clear()
        self.knobs.faults.clear()
        self.knobs.requests.clear()
        self.knobs.quota.limit(None)
        self.knobs.empty_pages = False
        if forgets_grants:
            self.forget_grants()
        return _done()

    def state(self) -> Response:
        """Show the calendars on the list of `?account=`, deleted events included."""
        account = self._account(request.args.get("account", ""))
        with self.held.lock:
            calendars = [
                calendar.to_json()
                | {"events": [self._render(c) for c in self.held.rows(calendar.id)]}
                for calendar in self.held.calendars.values()
                if (account.address, calendar.id) in self.held.memberships
            ]
        return jsonify({"account": account.address, "calendars": calendars})

    def channels(self) -> Response:
        """List the open channels."""
        found = [channel.to_json() for channel in self.watched.open_channels()]
        return jsonify({"channels": found})

    def _account(self, address: str) -> model.Account:
        account = self.held.accounts.get(address)
        if account is None:
            raise admin_input.InputError(f"account: there is no {address!r}")
        return account

    def _calendar(self, calendar_id: str) -> model.Calendar:
        calendar = self.held.calendars.get(calendar_id)
        if calendar is None:
            raise admin_input.InputError(f"calendar: there is no {calendar_id!r}")
        return calendar

    def _render(self, copy: model.EventCopy) -> model.Json:
        calendar = self.held.calendars[copy.calendar_id]
        view = rendering.View(
            calendar=calendar, role=model.Role.OWNER, zone=calendar.time_zone
        )
        return rendering.render_whole(copy, view)


def _shown(account: model.Account) -> model.Json:
    return {k: v for k, v in account.to_json().items() if k != "changed"}


def _done() -> Response:
    return jsonify({"done": True})
