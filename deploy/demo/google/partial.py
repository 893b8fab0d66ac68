"""Partial answers: the parameter `fields`, as in `nextPageToken,items(id,start/date)`.

https://developers.google.com/workspace/calendar/api/guides/performance#partial
"""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from deploy.demo.google import discovery, errors, model

Selection: TypeAlias = dict[str, "Selection"]
"""The names to keep, each with what to keep below it; empty keeps everything."""

_ALL = "*"
_MARKS = ("", ",", "/", "(", ")")
_PART = re.compile(r"[,/()]|[^,/()\s]+")


def parse(text: str, schema: str) -> Selection:
    """Return what to keep of an answer of a schema, or raise 400."""
    if not text or not schema:
        return {}
    chosen, end = _read(iter([*_PART.findall(text), ""]))
    if end:
        raise _refusal(text)
    _check(chosen, {"$ref": schema})
    return chosen


def select(value: Any, chosen: Selection) -> Any:  # noqa: ANN401 -- any part of an answer
    """Return the kept parts of an answer, in its own order."""
    if not chosen:
        return value
    if isinstance(value, list):
        return [select(part, chosen) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        name: select(part, chosen.get(name, chosen.get(_ALL, {})))
        for name, part in value.items()
        if name in chosen or _ALL in chosen
    }


def _read(marks: Iterator[str]) -> tuple[Selection, str]:
    """Read a list of paths; return it with the mark that ended it."""
    chosen: Selection = {}
    while True:
        mark = _read_path(marks, chosen)
        if mark != ",":
            return chosen, mark


def _read_path(marks: Iterator[str], chosen: Selection) -> str:
    name = next(marks)
    if name in _MARKS:
        raise _refusal(name)
    inner = chosen.setdefault(name, {})
    mark = next(marks)
    if mark == "/":
        return _read_path(marks, inner)
    if mark != "(":
        return mark
    below, end = _read(marks)
    if end != ")":
        raise _refusal(name)
    inner.update(below)
    return next(marks)


def _check(chosen: Selection, spec: model.Json) -> None:
    while "$ref" in spec or spec.get("type") == "array":
        if "$ref" in spec:
            spec = discovery.document()["schemas"][spec["$ref"]]
        else:
            spec = spec["items"]
    known = spec.get("properties", {})
    other = spec.get("additionalProperties")
    for name, inner in chosen.items():
        if name == _ALL:
            continue
        if name not in known and not other:
            raise _refusal(name)
        _check(inner, known.get(name, other))


def _refusal(text: str) -> errors.ApiError:
    return errors.invalid_parameter("fields", f"Invalid field selection {text}")
