"""Forms: what was filled in, and what is wrong with it, field by field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from flask import request
from pydantic import ValidationError

from shared.domain import errors
from webhook_receiver import problems
from webhook_receiver.api import refuse, shapes

Body = TypeVar("Body", bound=shapes.Body)

NO_ANSWER = "A part that is needed for this does not answer. Try again in a minute."

_WORDINGS = (
    (re.compile(r".*at least 1 character"), "Fill this in."),
    (re.compile(r".*match pattern"), "Write it on one line, without tabs."),
    (re.compile(r".*greater than or equal to (\S+)"), r"Must be \1 or more."),
    (re.compile(r".*less than or equal to (\S+)"), r"Must be \1 or less."),
    (re.compile(r".*valid (integer|number).*"), "Enter a whole number."),
    (re.compile(r".*at most (\d+) characters"), r"Must have at most \1 characters."),
    (re.compile(r".*at most (\d+) items.*"), r"There can be at most \1."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form as it is shown: its values, and what is wrong with each."""

    values: Mapping[str, str] = field(default_factory=dict)
    mistakes: Mapping[str, str] = field(default_factory=dict)
    """By the name of the field."""


def given(*names: str) -> dict[str, str]:
    """Return fields of the form that was sent, without blanks around them."""
    return {name: request.form.get(name, "").strip() for name in names}


def body(shape: type[Body], values: Mapping[str, object]) -> Body:
    """Return a body of the API; raises the 422 that the API would answer."""
    try:
        return shape.model_validate(dict(values))
    except ValidationError as error:
        refuse(error)


def mistakes(error: problems.ProblemError) -> dict[str, str]:
    """Return what is wrong, by field, as a page says it; raises any other refusal."""
    if error.code != HTTPStatus.UNPROCESSABLE_ENTITY:
        raise error
    return {name: _worded(text) for name, text in error.fields.items()}


def _worded(text: str) -> str:
    for pattern, sentence in _WORDINGS:
        if pattern.match(text):
            return pattern.sub(sentence, text)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def reason(error: Exception) -> str:
    """Return what a page says about an action that did not succeed."""
    if isinstance(error, problems.ProblemError):
        return error.description or NO_ANSWER
    return NO_ANSWER


REFUSALS = (
    problems.ProblemError,
    errors.BrokerConnectionError,
    errors.RemoteUnavailableError,
)
"""What keeps an action from succeeding; a page says it where it was asked for."""
