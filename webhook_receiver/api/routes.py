"""The one way that a call gets into the API: who may make it, then what it says.

A route without roles cannot be added, and what is not added is not served.
"""

from collections.abc import Callable, Collection
from http import HTTPMethod, HTTPStatus
from typing import Any, NoReturn, get_type_hints

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from shared.adapters.store.states import Role
from webhook_receiver import bodies, identity, problems
from webhook_receiver.access import Access
from webhook_receiver.api import shapes

PREFIX = "/api/calendar-sync"
SECURITY_SCHEMES: dict[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "From `calendar-sync token create`.",
    },
}
ADMIN = frozenset({Role.ADMIN})
OWN = frozenset({Role.ADMIN, Role.USER})
"""A user sees only what is the user's own."""
HISTORY = frozenset(Role)
OPERATION = frozenset({Role.ADMIN, Role.OPERATOR})

_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_WITH_BODY = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)

View = Callable[..., BaseModel | None]
"""Takes what the parameters `path`, `query` and `body` are annotated with."""


class Routes:
    """The routes of the API, each with the roles that may use it."""

    def __init__(self, access: Access) -> None:
        """Take who lets callers in."""
        self._access = access
        self._with_body: set[str] = set()
        self.roles: dict[str, frozenset[Role]] = {}
        self.blueprint = APIBlueprint(
            "api", __name__, url_prefix=PREFIX, abp_security=[{"token": []}]
        )
        self.blueprint.before_request(self._enter)

    def add(  # noqa: PLR0913 - a route is described by all of these
        self,
        method: HTTPMethod,
        rule: str,
        view: View,
        *,
        roles: frozenset[Role],
        answer: type[BaseModel] | None,
        status: HTTPStatus = HTTPStatus.OK,
        refuses: Collection[HTTPStatus] = (),
    ) -> None:
        """Serve a view under its own name, which is its operation's id too."""
        name = view.__name__
        self.roles[name] = roles
        has_body = "body" in get_type_hints(view)
        if has_body:
            self._with_body.add(name)
        refusals = {*_ALWAYS, *(_WITH_BODY if has_body else ()), *refuses}
        add: Any = getattr(self.blueprint, method.lower())
        add(
            rule,
            endpoint=name,
            operation_id=name,
            tags=[Tag(name=view.__module__.rpartition(".")[2].replace("_", " "))],
            responses={status: answer} | {s: _refusal(s) for s in sorted(refusals)},
        )(_answering(view, status))

    def _enter(self) -> None:
        """Let a caller in, or raise what refuses the call."""
        name = (request.endpoint or "").removeprefix("api.")
        caller = self._access.authenticate()
        if caller.role not in self.roles[name]:
            detail = f"The role {caller.role} may not make this call."
            raise problems.ProblemError(HTTPStatus.FORBIDDEN, detail)
        identity.remember(caller)
        if name in self._with_body:
            _require_object()


def refuse(error: ValidationError) -> NoReturn:
    """Raise the refusal for what does not have the shape that was asked for."""
    if error.title.endswith("Path"):
        raise problems.not_found()
    is_query = error.title.endswith("Query")
    fields: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False):
        # That one may be left out counts as a second way to be right.
        place = problem["loc"][:1] if is_query else problem["loc"]
        text = problem["msg"].removeprefix("Value error, ")
        fields.setdefault(".".join(map(str, place)) or "body", text)
    if is_query:
        detail = "Some parameters of the address are not valid."
        raise problems.ProblemError(HTTPStatus.BAD_REQUEST, detail, fields=fields)
    raise problems.invalid(fields)


def _require_object() -> None:
    if request.mimetype != "application/json":
        detail = "Send the body as application/json."
        raise problems.ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    try:
        bodies.read()
        document = request.get_json()
    except RequestEntityTooLarge:
        raise
    except (HTTPException, RecursionError):
        detail = "The body is not JSON."
        raise problems.ProblemError(HTTPStatus.BAD_REQUEST, detail) from None
    if not isinstance(document, dict):
        raise problems.invalid({"body": "must be an object"})


def _answering(view: View, status: HTTPStatus) -> Callable[..., Response]:
    """Return the view as Flask wants one; it keeps name and annotations."""

    def answer(**given: object) -> Response:
        document = view(**given)
        if document is None:
            return Response(status=status)
        return Response(
            document.model_dump_json(), status, content_type="application/json"
        )

    answer.__name__ = view.__name__
    answer.__doc__ = view.__doc__
    answer.__annotations__ = get_type_hints(view)
    return answer


def _refusal(status: HTTPStatus) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shapes.Problem.__name__}"}
    return {
        "description": status.phrase,
        "content": {problems.MEDIA_TYPE: {"schema": schema}},
    }
