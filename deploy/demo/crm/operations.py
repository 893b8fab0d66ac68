"""The operations of the contract: what each needs, and what it answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import Response, request

from deploy.demo import storage
from deploy.demo.crm import fields, listing, model, problems, state, tasks

_MOST_KEY = 255


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that may be answered; `args` are those of the path."""

    held: state.State
    now: datetime
    tasks: tasks.Tasks
    args: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation under the name that faults and the request log use."""

    name: str
    method: str
    path: str
    run: Callable[[Call], Response]
    needs: model.Permission | None = None


def json_response(
    document: storage.Json,
    status: int = HTTPStatus.OK,
    content_type: str = "application/json",
) -> Response:
    """Return an answer in JSON."""
    text = json.dumps(document, ensure_ascii=False)
    return Response(text, status=int(status), content_type=content_type)


def refusal(problem: problems.ProblemError) -> Response:
    """Return the answer to a refused request."""
    answer = json_response(
        problem.document(), problem.status, "application/problem+json"
    )
    answer.headers.update(problem.headers)
    return answer


def _list_tasks(call: Call) -> Response:
    return json_response(
        listing.list_tasks(call.held, call.now, request.args.to_dict())
    )


def _create_task(call: Call) -> Response:
    key = request.headers.get("Idempotency-Key", "")
    if not key or len(key) > _MOST_KEY:
        message = f"Idempotency-Key: must have 1 to {_MOST_KEY} characters"
        raise problems.bad_request(message)
    task, is_new = call.tasks.create(read_body(), key)
    answer = _shown(task, HTTPStatus.CREATED if is_new else HTTPStatus.OK)
    answer.headers["Location"] = f"{request.base_url}/{task.id}"
    return answer


def _get_task(call: Call) -> Response:
    return _shown(call.tasks.get(call.args["task_id"]))


def _update_task(call: Call) -> Response:
    if_match = request.headers.get("If-Match", "")
    return _shown(call.tasks.change(call.args["task_id"], read_body, if_match))


def _delete_task(call: Call) -> Response:
    call.tasks.delete(call.args["task_id"])
    return Response(status=HTTPStatus.NO_CONTENT)


def _list_users(call: Call) -> Response:
    return json_response(listing.list_users(call.held, request.args.to_dict()))


def _notify(call: Call) -> Response:
    user_id = call.args["user_id"]
    if user_id not in call.held.users:
        raise problems.not_found("user")
    message = fields.read_notification(read_body())
    with call.held.transaction(call.now) as tx:
        key = message.get("key")
        earlier = [
            known.number
            for known in call.held.notifications.values()
            if key is not None and (known.user_id, known.key) == (user_id, key)
        ]
        number = earlier[0] if earlier else tx.next_number()
        tx.add(
            model.Notification(
                number=number, user_id=user_id, created_at=tx.stamp, **message
            )
        )
    return Response(status=HTTPStatus.ACCEPTED)


def _shown(task: model.Task, status: int = HTTPStatus.OK) -> Response:
    answer = json_response(task.to_json(), status)
    answer.headers["ETag"] = task.etag
    return answer


def read_body() -> storage.Json:
    """Return the object in the present request's body, or raise 400."""
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse_constant)
        # Half a surrogate pair passes as JSON, but is no text.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise problems.bad_request("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise problems.bad_request("The body must be a JSON object.")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


OPERATIONS = (
    Operation(
        name="tasks.list",
        method="GET",
        path="/tasks",
        run=_list_tasks,
        needs=model.Permission.VIEW,
    ),
    Operation(
        name="tasks.create",
        method="POST",
        path="/tasks",
        run=_create_task,
        needs=model.Permission.CREATE,
    ),
    Operation(
        name="tasks.get",
        method="GET",
        path="/tasks/<task_id>",
        run=_get_task,
        needs=model.Permission.VIEW,
    ),
    Operation(
        name="tasks.update",
        method="PATCH",
        path="/tasks/<task_id>",
        run=_update_task,
        needs=model.Permission.EDIT,
    ),
    Operation(
        name="tasks.delete",
        method="DELETE",
        path="/tasks/<task_id>",
        run=_delete_task,
        needs=model.Permission.EDIT,
    ),
    Operation(name="users.list", method="GET", path="/users", run=_list_users),
    Operation(
        name="users.notify",
        method="POST",
        path="/users/<user_id>/notifications",
        run=_notify,
    ),
)
