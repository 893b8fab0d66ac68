"""The API, rendered from its OpenAPI document for people to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app, render_template
from flask.typing import ResponseReturnValue
from flask_openapi3.openapi import OpenAPI
from markupsafe import Markup

from webhook_receiver.pages.routes import EVERYBODY, PageRoutes
from webhook_receiver.services import Services

Document = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_REF = "$ref"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a body or an answer, or a parameter of an address."""

    name: str
    type: str
    text: str
    is_required: bool = False
    schema: str | None = None
    """The document that it holds, if it holds one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the API; `body` and `answer` name what goes in and comes out."""

    id: str
    method: str
    path: str
    text: str
    parameters: Sequence[Field]
    body: str | None
    answer: str | None
    statuses: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A document that goes in or comes out; `choices` are all that it may be."""

    name: str
    text: str
    fields: Sequence[Field]
    choices: Sequence[str]


class Reference:
    """Shows the document that `openapi.json` has."""

    def __init__(self, services: Services) -> None:
        """Take nothing: the application itself has the document."""

    def register(self, routes: PageRoutes) -> None:
        """Add the page."""
        routes.show("/reference", self.reference, roles=EVERYBODY)

    def reference(self) -> ResponseReturnValue:
        """Show every call, and every document."""
        document: Document = cast("OpenAPI", current_app).api_doc
        return render_template(
            "reference.html",
            info=document["info"],
            groups=_groups(document),
            prose=_prose,
            schemas=_schemas(document),
        )


def _prose(text: str) -> Markup:
    """Return the text of a docstring; what stands in backticks is code."""
    words = text.replace("<br/>", " ").split("`")
    marked = [Markup("{}"), Markup("<code>{}</code>")]
    parts = (marked[n % 2].format(part) for n, part in enumerate(words))
    return Markup("").join(parts)


def _groups(document: Document) -> Mapping[str, Sequence[Call]]:
    """Return the calls by what they are about, in the order of the document."""
    groups: dict[str, list[Call]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                (tag,) = item[method]["tags"]
                groups.setdefault(tag, []).append(_call(method, path, item[method]))
    return groups


def _call(method: str, path: str, operation: Document) -> Call:
    answers: Mapping[str, Document] = operation["responses"]
    good = next(code for code in answers if code.startswith("2"))
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        text=" ".join(
            operation[part] for part in ("summary", "description") if part in operation
        ),
        parameters=[
            _field(each["name"], each["schema"] | each, required=each["required"])
            for each in operation.get("parameters", ())
        ],
        body=_content(operation.get("requestBody", {})),
        answer=_content(answers[good]),
        statuses=[(code, each["description"]) for code, each in answers.items()],
    )


def _content(part: Document) -> str | None:
    """Return the name of the document in a body, None where there is no body."""
    for content in part.get("content", {}).values():
        return _named(content["schema"])
    return None


def _named(schema: Document) -> str | None:
    reference: str | None = schema.get(_REF)
    return reference.rpartition("/")[2] if reference else None


def _schemas(document: Document) -> Sequence[Schema]:
    found = document["components"]["schemas"]
    return [_schema(name, found[name]) for name in sorted(found)]


def _schema(name: str, schema: Document) -> Schema:
    required = schema.get("required", ())
    return Schema(
        name=name,
        text=schema.get("description", ""),
        fields=[
            _field(field, each, required=field in required)
            for field, each in schema.get("properties", {}).items()
        ],
        choices=[str(choice) for choice in schema.get("enum", ())],
    )


def _field(name: str, schema: Document, *, required: bool) -> Field:
    return Field(
        name=name,
        type=_type(schema),
        text=schema.get("description", ""),
        is_required=required,
        schema=_holds(schema),
    )


def _type(schema: Document) -> str:
    """Return the type of a value in words: `list of integer`, `text or null`."""
    if (name := _named(schema)) is not None:
        return name
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _holds(schema: Document) -> str | None:
    """Return the name of the document in a value, if there is one."""
    parts = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    return next((name for part in parts if (name := _named(part))), None)
