"""Google's own description of the API: its methods, their parameters and scopes.

It ships with google-api-python-client.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeAlias

from deploy.demo.google import errors, model

API = "calendar."
_INT32 = range(-(2**31), 2**31)
Values: TypeAlias = Mapping[str, str | int | bool | list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One API method."""

    id: str
    http_method: str
    path: str
    parameters: Mapping[str, model.Json]
    scopes: frozenset[str]
    request: str
    response: str

    @property
    def short_id(self) -> str:
        """The id as people say it, such as `events.list`."""
        return self.id.removeprefix(API)


@cache
def document() -> model.Json:
    """Return the discovery document of Calendar v3."""
    package = resources.files("googleapiclient.discovery_cache.documents")
    text = (package / "calendar.v3.json").read_text(encoding="utf-8")
    found: model.Json = json.loads(text)
    return found


@cache
def methods() -> Mapping[str, Method]:
    """Return all methods by id, such as `calendar.events.list`."""
    every = document()["parameters"]
    found = {}
    for resource in document()["resources"].values():
        for method in resource["methods"].values():
            found[method["id"]] = Method(
                id=method["id"],
                http_method=method["httpMethod"],
                path=method["path"],
                parameters=every | method.get("parameters", {}),
                scopes=frozenset(method.get("scopes", ())),
                request=method.get("request", {}).get("$ref", ""),
                response=method.get("response", {}).get("$ref", ""),
            )
    return found


@cache
def all_scopes() -> frozenset[str]:
    """Return every scope that the API knows."""
    return frozenset(document()["auth"]["oauth2"]["scopes"])


def parse_query(method: Method, query: Iterable[tuple[str, str]]) -> Values:
    """Return the typed query parameters, or raise 400 for one that Google refuses."""
    values: dict[str, str | int | bool | list[str]] = {}
    for name, text in query:
        spec = method.parameters.get(name)
        if spec is None or spec["location"] != "query":
            if name.startswith("$"):
                continue
            message = f'Unknown name "{name}": Cannot bind query parameter.'
            raise errors.invalid_parameter(name, message)
        value = _parse_parameter(name, text, spec)
        if spec.get("repeated"):
            known = values.setdefault(name, [])
            if isinstance(known, list):
                known.append(str(value))
        else:
            values[name] = value
    for name, spec in method.parameters.items():
        if spec.get("required") and spec["location"] == "query" and name not in values:
            raise errors.required(f"Required parameter: {name}")
    return values


def _parse_parameter(name: str, text: str, spec: model.Json) -> str | int | bool:
    if "enum" in spec and text not in spec["enum"]:
        allowed = ", ".join(spec["enum"])
        message = f"Invalid string value: '{text}'. Allowed values: [{allowed}]"
        raise errors.invalid_parameter(name, message)
    if spec["type"] == "boolean":
        if text not in ("true", "false"):
            message = f"Invalid boolean value: '{text}'."
            raise errors.invalid_parameter(name, message)
        return text == "true"
    if spec["type"] == "integer":
        return _parse_integer(name, text, spec)
    return text


def _parse_integer(name: str, text: str, spec: model.Json) -> int:
    if not re.fullmatch(r"-?\d{1,10}", text) or int(text) not in _INT32:
        message = f"Invalid integer value: '{text}'."
        raise errors.invalid_parameter(name, message)
    number = int(text)
    low = int(spec.get("minimum", _INT32.start))
    high = int(spec.get("maximum", _INT32.stop - 1))
    if not low <= number <= high:
        message = f"Invalid value '{text}'. Values must be within the range: "
        raise errors.invalid_parameter(name, f"{message}[{low}, {high}]")
    return number
