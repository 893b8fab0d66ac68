"""Bodies and answers checked against the schemas of Google's own description.

Each schema is compiled once into nested functions, so that a check costs little.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import TypeAlias, cast

from deploy.demo.google import discovery, errors, model

Check: TypeAlias = Callable[[object, str], None]


class SchemaError(ValueError):
    """A value does not have the type that the description gives it."""


def check_request(schema: str, body: object) -> None:
    """Raise 400 unless a body has the right types; unknown fields are let pass."""
    try:
        _compiled(schema, answers=False)(body, "")
    except SchemaError as error:
        raise errors.invalid(f"Invalid value for: {error}") from error


def check_response(schema: str, body: object) -> None:
    """Raise SchemaError unless an answer has known fields of the right types only."""
    _compiled(schema, answers=True)(body, schema)


@cache
def _compiled(schema: str, *, answers: bool) -> Check:
    return _compile(discovery.document()["schemas"][schema], answers=answers)


def _compile(spec: model.Json, *, answers: bool) -> Check:
    if "$ref" in spec:
        return _later(spec["$ref"], answers=answers)
    if spec["type"] == "object":
        return _compile_object(spec, answers=answers)
    if spec["type"] == "array":
        return _compile_array(spec, answers=answers)
    return _compile_scalar(spec, answers=answers)


def _later(schema: str, *, answers: bool) -> Check:
    def check(value: object, path: str) -> None:
        _compiled(schema, answers=answers)(value, path)

    return check


def _compile_object(spec: model.Json, *, answers: bool) -> Check:
    known = {
        name: _compile(property_, answers=answers)
        for name, property_ in spec.get("properties", {}).items()
    }
    extra = spec.get("additionalProperties")
    other = _compile(extra, answers=answers) if extra else None

    def check(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise SchemaError(path)
        for name, part in value.items():
            inner = known.get(name, other)
            if inner is None:
                if answers:
                    message = f"{path}.{name} is no field"
                    raise SchemaError(message)
            # A request clears a field with null; an answer never holds one.
            elif part is not None or answers:
                inner(part, f"{path}.{name}".lstrip("."))

    return check


def _compile_array(spec: model.Json, *, answers: bool) -> Check:
    each = _compile(spec["items"], answers=answers)

    def check(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise SchemaError(path)
        for index, part in enumerate(value):
            each(part, f"{path}[{index}]")

    return check


def _compile_scalar(spec: model.Json, *, answers: bool) -> Check:
    kind, form = spec["type"], spec.get("format", "")
    if answers:
        accepts = _FORMATS.get(form, _STRICT[kind])
    else:
        accepts = _WRITTEN.get(form, _STRICT[kind])

    def check(value: object, path: str) -> None:
        if not accepts(value):
            raise SchemaError(path)

    return check


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text_or_integer(value: object) -> bool:
    return _is_text(value) or _is_integer(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_int32(value: object) -> bool:
    return _is_integer(value) and -(2**31) <= cast("int", value) < 2**31


def _is_date_time(value: object) -> bool:
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False


def _is_date(value: object) -> bool:
    try:
        return date.fromisoformat(str(value)).isoformat() == value
    except ValueError:
        return False


_STRICT: Mapping[str, Callable[[object], bool]] = {
    "string": _is_text,
    "boolean": _is_boolean,
    "integer": _is_integer,
    "number": _is_number,
    "any": lambda _: True,
}
_WRITTEN: Mapping[str, Callable[[object], bool]] = {
    "int32": _is_int32,
    # A 64-bit number is a text, but Google's own samples show a number (fact 143).
    "int64": _is_text_or_integer,
}
_FORMATS: Mapping[str, Callable[[object], bool]] = {
    "date-time": _is_date_time,
    "date": _is_date,
    "int32": _is_int32,
    "int64": lambda value: isinstance(value, str) and value.lstrip("-").isdigit(),
}
