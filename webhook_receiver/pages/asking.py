"""What a page is asked for: the parameters of its address."""

from typing import TypeVar
from urllib.parse import urlencode

from flask import request
from pydantic import BaseModel, ValidationError

from webhook_receiver.api import refuse, shapes

Query = TypeVar("Query", bound=shapes.Query)
Shape = TypeVar("Shape", bound=BaseModel)


def query(shape: type[Query], **fixed: object) -> Query:
    """Return the parameters of the address; raises the 400 for bad ones.

    Those that are empty, as in a filter that is not set, count as left out. `fixed` are
    set whatever the address says.
    """
    given = {name: value for name, value in request.args.items() if value}
    return validated(shape, **{**given, **fixed})


def validated(shape: type[Shape], **given: object) -> Shape:
    """Return what the API takes; raises the refusal for what it does not."""
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        refuse(error)


def next_page(cursor: str | None) -> str | None:
    """Return the address of the page after this one, None if this is the last."""
    if cursor is None:
        return None
    others = {k: v for k, v in request.args.items() if v and k != "cursor"}
    return f"{request.path}?{urlencode({**others, 'cursor': cursor})}"
