"""The web page of the simulated CRM: choose a user, see and edit tasks, read messages.

The page itself is an empty frame; the scripts beside it fill it through the endpoints
under `/app`. They are no part of the API: a person needs no key, meets no faults on
demand and leaves no trace in the request log. Webhooks are sent all the same.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from deploy.demo import storage
from deploy.demo.crm import instants, model, operations, problems, state, tasks

_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The page and its endpoints."""

    held: state.State
    tasks: tasks.Tasks

    def choose(self) -> ResponseReturnValue:
        """Ask which user the person is."""
        users = self.held.list_users()
        return render_template("users.html", users=users, missing="")

    def show(self) -> ResponseReturnValue:
        """Show the frame of a user's tasks."""
        wanted = request.args.get("user", "")
        users = self.held.list_users()
        user = next((user for user in users if user.id == wanted), None)
        if user is None:
            page = render_template("users.html", users=users, missing=wanted)
            return page, HTTPStatus.NOT_FOUND
        return render_template("tasks.html", user=user, users=users)

    def look(self) -> ResponseReturnValue:
        """Return what a user sees, or 204 when nothing is newer than `seen`.

        Tasks come from some days around `from` to `to`; the page cuts them to the days
        of its user's time zone.
        """
        first, last = _day("from") - _ONE_DAY, _day("to") + _ONE_DAY
        user_id = request.args.get("user", "")
        owner_id = None if request.args.get("whose") == "all" else user_id
        with self.held.lock:
            mark = self._mark()
            if request.args.get("seen") == mark:
                return "", HTTPStatus.NO_CONTENT
            shown = [
                task.to_json()
                for task in self.held.tasks.values()
                if not task.deleted
                and owner_id in (None, task.owner_id)
                and _is_within(task, first.isoformat(), last.isoformat())
            ]
            messages = [
                message.to_json()
                for message in sorted(self.held.notifications.values(), key=_age)
                if message.user_id == user_id
            ]
        return jsonify({"mark": mark, "tasks": shown, "messages": messages})

    def create(self) -> ResponseReturnValue:
        """Create a task."""
        task, _ = self.tasks.create(_body())
        return jsonify(task.to_json()), HTTPStatus.CREATED

    def change(self, task_id: str) -> ResponseReturnValue:
        """Change a task, if it still is the one that the person saw."""
        if_match = request.headers.get("If-Match", "")
        return jsonify(self.tasks.change(task_id, _body, if_match).to_json())

    def delete(self, task_id: str) -> ResponseReturnValue:
        """Delete a task."""
        self.tasks.delete(task_id)
        return "", HTTPStatus.NO_CONTENT

    def dismiss(self, number: int) -> ResponseReturnValue:
        """Take a message away."""
        self.held.drop_notification(number)
        return "", HTTPStatus.NO_CONTENT

    def _mark(self) -> str:
        """Return a text that differs after every change."""
        held = self.held
        counts = len(held.users), len(held.tasks), len(held.notifications)
        return "-".join(map(str, (held.sequence, held.last_stamp, *counts)))


def create_blueprint(pages: Pages) -> Blueprint:
    """Return the routes of the page."""
    blueprint = Blueprint(
        "pages",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/tasks/static",
    )
    for path, view, method in (
        ("/", pages.choose, "GET"),
        ("/tasks", pages.show, "GET"),
        ("/app/tasks", pages.look, "GET"),
        ("/app/tasks", pages.create, "POST"),
        ("/app/tasks/<task_id>", pages.change, "PATCH"),
        ("/app/tasks/<task_id>", pages.delete, "DELETE"),
        ("/app/messages/<int:number>", pages.dismiss, "DELETE"),
    ):
        blueprint.add_url_rule(path, view.__name__, view, methods=[method])
    blueprint.after_request(_protect)
    return blueprint


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    # The scripts change with the code; a demo must never mix two versions.
    response.headers["Cache-Control"] = "no-cache"
    return response


def _body() -> storage.Json:
    # No other site's form can send this type to the page of somebody who visits both.
    if not request.is_json:
        raise problems.bad_request("The body must be a JSON object.")
    return operations.read_body()


def _day(name: str) -> date:
    day = instants.parse_date(request.args.get(name, ""))
    if day is None or not date.min < day < date.max:
        raise problems.bad_request(f"{name} must be a day such as 2026-11-24.")
    return day


def _age(message: model.Notification) -> tuple[str, int]:
    # One that replaced another has its number, and is news all the same.
    return message.created_at, message.number


def _is_within(task: model.Task, first: str, last: str) -> bool:
    due = (task.due_date or task.due_at or "")[:10]
    return not due or first <= due <= last
