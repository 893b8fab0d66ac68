"""The refusals of the CRM's API, as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

from deploy.demo import storage
from deploy.demo.crm import model


class ProblemError(Exception):
    """A refused request; `members` go into the body beside the standard ones."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str = "",
        *,
        members: storage.Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say what is wrong."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self._members = members or {}

    def document(self) -> storage.Json:
        """Return the body of the answer."""
        return {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail or self.status.description,
            **self._members,
        }


def bad_request(detail: str) -> ProblemError:
    """Return the refusal of a request that cannot be understood."""
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)


def unauthorized() -> ProblemError:
    """Return the refusal of a request without a good key."""
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "The API key is missing or not valid.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def forbidden(permission: model.Permission) -> ProblemError:
    """Return the refusal of a key that lacks a permission."""
    detail = f"The API key lacks the permission {permission} on Tasks."
    return ProblemError(HTTPStatus.FORBIDDEN, detail)


def not_found(what: str) -> ProblemError:
    """Return the refusal of an id that nothing has; `what` is a task or a user."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"There is no such {what}.")


def deleted() -> ProblemError:
    """Return the refusal to change what is deleted."""
    return ProblemError(HTTPStatus.GONE, "The task is deleted.")


def moved_on(current: model.Task) -> ProblemError:
    """Return the refusal of a change that was meant for another version."""
    return ProblemError(
        HTTPStatus.PRECONDITION_FAILED,
        "The task has changed in the meantime.",
        members={"current": current.to_json()},
    )


def event_taken(holder: model.Task) -> ProblemError:
    """Return the refusal of an event id that another task stores."""
    return ProblemError(
        HTTPStatus.CONFLICT,
        "The event id is stored by another task.",
        members={"existing_id": holder.id},
    )


def not_valid(errors: Mapping[str, str]) -> ProblemError:
    """Return the refusal of values; `errors` says what is wrong by field."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Some fields are not valid.",
        members={
            "errors": [{"field": f, "detail": detail} for f, detail in errors.items()]
        },
    )
