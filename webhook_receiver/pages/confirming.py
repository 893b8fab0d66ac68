"""The page that asks before something is done that cannot be undone.

It comes from the server, so that it counts what is meant, with scripts or without.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request

_FIELD = "confirmed"
_YES = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked; `fields` are sent again by whoever says yes.

    `names` are the things that it is about, `more` how many are not named.
    """

    title: str
    text: str
    button: str
    back: str
    fields: Sequence[tuple[str, str]] = ()
    names: Sequence[str] = ()
    more: int = 0
    is_final: bool = True


def is_confirmed() -> bool:
    """Tell whether the person has said yes on the page."""
    return request.form.get(_FIELD) == _YES


def ask(question: Question) -> str:
    """Return the page; saying yes sends the same form again, to the same address."""
    return render_template(
        "confirm.html", question=question, fields=[*question.fields, (_FIELD, _YES)]
    )


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return `1 meeting` or `12 meetings`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
