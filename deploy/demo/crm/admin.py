"""What tests and the demo ask of the simulator behind the CRM's back: `/_admin`."""

import dataclasses
from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, request

from deploy.demo import admin_input, clock, fault_input, request_log
from deploy.demo.crm import api, model, signing, state, webhooks

_MATCHABLE = ("operation", "method", "path", "task_id")
_SENSELESS = frozenset({"reason", "domain"})


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The views; `register` adds them to a blueprint. Bad input answers 400."""

    held: state.State
    ticking: clock.Clock
    outbox: webhooks.Outbox
    knobs: api.Knobs

    def register(self, blueprint: Blueprint) -> None:
        """Serve the admin endpoints."""
        for path, view, *verbs in (
            ("healthz", self.healthz, "GET"),
            ("users", self.list_users, "GET"),
            ("users", self.add_user, "POST"),
            ("api-keys", self.add_key, "POST"),
            ("tasks", self.tasks, "GET"),
            ("notifications", self.notifications, "GET", "DELETE"),
            ("requests", self.requests, "GET", "DELETE"),
            ("webhooks", self.webhooks, "GET", "POST", "DELETE"),
            ("deliveries", self.deliveries, "GET", "DELETE"),
            ("faults", self.faults, "GET", "POST", "DELETE"),
            ("clear", self.clear, "POST"),
        ):
            blueprint.add_url_rule(
                f"/_admin/{path}", view.__name__, view, methods=list(verbs)
            )
        blueprint.add_url_rule("/healthz", "health", self.healthz, methods=["GET"])

    def healthz(self) -> Response:
        """Say that the simulator is up."""
        return jsonify({"status": "ok"})

    def list_users(self) -> Response:
        """List the users."""
        return jsonify({"users": [user.to_json() for user in self.held.list_users()]})

    def add_user(self) -> Response:
        """Add or replace a user: id, email, name, time_zone, active (default true)."""
        body = admin_input.Body.read()
        user = model.User(
            id=body.text("id"),
            email=body.address("email"),
            name=body.text("name", "") or None,
            time_zone=_zone(body),
            active=body.flag("active", default=True),
        )
        with self.held.transaction(self.ticking.now()) as tx:
            tx.add(user)
        return jsonify(user.to_json())

    def add_key(self) -> Response:
        """Add or replace an API key: key, permissions (default all of them)."""
        body = admin_input.Body.read()
        wanted = body.fields.get("permissions", list(model.Permission))
        allowed = set(model.Permission)
        if not isinstance(wanted, list) or not set(map(str, wanted)) <= allowed:
            message = f"permissions: must be a list of {', '.join(model.Permission)}"
            raise admin_input.InputError(message)
        with self.held.transaction(self.ticking.now()) as tx:
            tx.add(model.ApiKey(key=body.text("key"), permissions=wanted))
        return _done()

    def tasks(self) -> Response:
        """List all tasks, deleted ones included, oldest change first."""
        with self.held.lock:
            found = [task.to_json() for task in self.held.tasks.values()]
        return jsonify({"tasks": found})

    def notifications(self) -> Response:
        """List the messages, of `?user_id=` if given, or forget all."""
        if request.method == "DELETE":
            self.held.clear_notifications()
            return _done()
        user_id = request.args.get("user_id")
        with self.held.lock:
            found = [
                message.to_json()
                for message in self.held.notifications.values()
                if user_id in (None, message.user_id)
            ]
        return jsonify({"notifications": found})

    def requests(self) -> Response:
        """List the logged requests after `?since_id=`, or forget them."""
        return _read(self.knobs.requests, "requests")

    def deliveries(self) -> Response:
        """List the attempts to deliver webhooks after `?since_id=`, or forget them."""
        return _read(self.outbox.attempts, "deliveries")

    def webhooks(self) -> Response:
        """Show where webhooks go and what befalls them, change it, or let all arrive.

        Fields: url, secrets; lose_every, duplicate_every, reorder, delay_seconds. What
        is left out stays.
        """
        if request.method == "DELETE":
            self.outbox.disturb(webhooks.Disturbances())
            return _done()
        if request.method == "POST":
            body = admin_input.Body.read()
            subscription = _subscription(body, self.outbox.subscription)
            disturbances = _disturbances(body, self.outbox.disturbances)
            self.outbox.subscription = subscription
            self.outbox.disturb(disturbances)
        shown = {
            "url": self.outbox.subscription.url,
            "secrets": len(self.outbox.subscription.secrets),
            "pending": len(self.held.pending()),
        }
        return jsonify(shown | dataclasses.asdict(self.outbox.disturbances))

    def faults(self) -> Response:
        """List the faults in force, add one, or withdraw all."""
        if request.method == "DELETE":
            self.knobs.faults.clear()
            return _done()
        if request.method == "POST":
            fault = fault_input.read(
                admin_input.Body.read(), matchable=_MATCHABLE, without=_SENSELESS
            )
            return jsonify({"id": self.knobs.faults.add(fault)})
        return jsonify({"faults": self.knobs.faults.listed()})

    def clear(self) -> Response:
        """Forget all but the users, the keys and where webhooks go."""
        self.held.clear()
        self.outbox.forget()
        self.knobs.faults.clear()
        self.knobs.requests.clear()
        return _done()


def _zone(body: admin_input.Body) -> str | None:
    return body.zone("time_zone", "") if body.text("time_zone", "") else None


def _read(log: request_log.RequestLog, name: str) -> Response:
    if request.method == "DELETE":
        log.clear()
        return _done()
    since = admin_input.number(request.args.get("since_id", "0"), "since_id")
    return jsonify({name: log.since(since)})


def _subscription(
    body: admin_input.Body, before: webhooks.Subscription
) -> webhooks.Subscription:
    secrets = body.fields.get("secrets", list(before.secrets))
    if not isinstance(secrets, list) or not all(map(_is_secret, secrets)):
        message = "secrets: must be a list of whsec_ followed by base64"
        raise admin_input.InputError(message)
    return webhooks.Subscription(
        url=body.text("url", before.url), secrets=tuple(secrets)
    )


def _is_secret(text: object) -> bool:
    return isinstance(text, str) and signing.is_secret(text)


def _disturbances(
    body: admin_input.Body, before: webhooks.Disturbances
) -> webhooks.Disturbances:
    known = {f.name for f in dataclasses.fields(before)}
    if unknown := sorted(set(body.fields) - known - {"url", "secrets"}):
        message = f"{', '.join(unknown)}: nothing that can be ordered of webhooks"
        raise admin_input.InputError(message)
    changes = {
        name: body.optional_number(name) or 0
        for name in ("lose_every", "duplicate_every", "reorder")
        if name in body.fields
    }
    delay = body.fields.get("delay_seconds", before.delay_seconds)
    ordered = admin_input.Body({"delay_seconds": delay}).seconds("delay_seconds")
    return dataclasses.replace(before, **changes, delay_seconds=ordered)


def _done() -> Response:
    return jsonify({"done": True})
