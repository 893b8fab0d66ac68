"""Reads what the admin endpoints are given; every mistake is one line in a 400."""

import enum
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self, TypeVar

from flask import request

from deploy.demo import storage, zones

_Kind = TypeVar("_Kind", bound=enum.Enum)


class InputError(Exception):
    """The admin's request makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object with typed access to its fields."""

    fields: storage.Json

    @classmethod
    def read(cls) -> Self:
        """Return the body of the present request; none counts as empty."""
        if not request.get_data():
            return cls({})
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict):
            raise InputError("the body must be a JSON object")
        return cls(body)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (not value and default is None):
            raise InputError(f"{name}: must be a text")
        return value

    def address(self, name: str) -> str:
        """Return an e-mail address."""
        value = self.text(name)
        if not is_address(value):
            raise InputError(f"{name}: {value!r} is no e-mail address")
        return value

    def zone(self, name: str, default: str) -> str:
        """Return the name of a time zone."""
        value = self.text(name, default)
        if zones.find(value) is None:
            raise InputError(f"{name}: {value!r} is no time zone")
        return value

    def member(self, name: str, kind: type[_Kind], default: _Kind) -> _Kind:
        """Return one of a closed set of texts."""
        return self.optional_member(name, kind) or default

    def optional_member(self, name: str, kind: type[_Kind]) -> _Kind | None:
        """Return one of a closed set of texts, or None when it is left out."""
        value = self.text(name, "")
        if not value:
            return None
        try:
            return kind(value)
        except ValueError as error:
            allowed = ", ".join(member.value for member in kind)
            raise InputError(f"{name}: {value!r} is none of {allowed}") from error

    def object(self, name: str) -> storage.Json:
        """Return an object, empty when it is left out."""
        value = self.fields.get(name, {})
        if not isinstance(value, dict):
            raise InputError(f"{name}: must be an object")
        return value

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """Return true or false; without a default it must be there."""
        value = self.fields.get(name, default)
        if not isinstance(value, bool):
            raise InputError(f"{name}: must be true or false")
        return value

    def optional_number(self, name: str) -> int | None:
        """Return a whole number of at least 0, or None."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise InputError(f"{name}: must be a whole number or null")
        return value

    def seconds(self, name: str) -> float:
        """Return a number of seconds, 0 when it is left out."""
        value = self.fields.get(name, 0)
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise InputError(f"{name}: must be a number of seconds")
        return float(value)

    def status(self, name: str) -> int | None:
        """Return an HTTP status from 400 up."""
        value = self.fields.get(name)
        if value is None:
            return None
        if value not in [s for s in HTTPStatus if s >= HTTPStatus.BAD_REQUEST]:
            raise InputError(f"{name}: {value!r} is no HTTP status of an error")
        return int(value)


def is_address(text: str) -> bool:
    """Whether a text can be an e-mail address."""
    return re.fullmatch(r"[^@\s]+@[^@\s]+", text) is not None


def number(text: str, name: str) -> int:
    """Return the whole number of a query parameter."""
    if not text.isdigit():
        raise InputError(f"{name}: {text!r} is no whole number")
    return int(text)
