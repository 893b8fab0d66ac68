"""What the documents of the API have in common.

The names of what comes in end in Path, Query or Body: `routes.refuse` goes by that.
"""

from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic.json_schema import SkipJsonSchema


def without_default(schema: dict[str, Any]) -> None:
    """Leave a default out of the document that stands for nothing at all."""
    schema.pop("default", None)


def _whole(value: object) -> object:
    # To JSON, 7.0 and 7 are the same number.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written(value: object) -> object:
    # Pydantic would take a number for the seconds since 1970.
    if isinstance(value, str) and "T" not in value.upper():
        message = "must be an instant, such as 2026-03-02T09:30:00Z"
        raise ValueError(message)
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_written)]
"""An instant with its offset (RFC 3339)."""

WHOLE = BeforeValidator(_whole)
"""Goes after the bounds: pydantic documents those of a plain number only."""

Id = Annotated[int, Field(ge=1, le=2**63 - 1), WHOLE]
Text = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
    ),
]
"""A text on one line that is not blank; PostgreSQL takes no NUL."""


class Document(BaseModel):
    """What the API answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """What the API takes; JSON has types, so none is guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Path(BaseModel):
    """What an address names."""

    model_config = ConfigDict(frozen=True)


class Query(BaseModel):
    """What an address asks for; left out means that it does not matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def left_out() -> Any:  # noqa: ANN401 - as pydantic has it
    """Return the default of a parameter that has none in the document."""
    return Field(default=None, json_schema_extra=without_default)


_Cursor = Annotated[
    str,
    Field(
        pattern=r"^[1-9][0-9]{0,17}$",
        description="The `next_cursor` of the page before.",
    ),
]


class PageQuery(Query):
    """Which page of a list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: _Cursor | SkipJsonSchema[None] = left_out()


class Mistake(Document):
    """What is wrong with one field."""

    field: str
    detail: str


class Problem(Document):
    """Why a request is refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Mistake] = Field(default=[], description="One for each bad field.")
    current: dict[str, Any] | SkipJsonSchema[None] = Field(
        default=None,
        json_schema_extra=without_default,
        description="What it is by now that the request was about.",
    )
