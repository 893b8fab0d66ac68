"""The conflicts: two edits of one meeting, side by side, to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store.states import ConflictState
from shared.domain.model import Side
from webhook_receiver import identity, problems
from webhook_receiver.api import conflicts, shapes
from webhook_receiver.pages import asking, confirming, meetings, people
from webhook_receiver.pages.people import Person
from webhook_receiver.pages.routes import ADMIN, ADMIN_OR_USER, PageRoutes
from webhook_receiver.services import Services

_ALL = "all"
_MOST_USERS = 200
"""So many can be chosen from in the filter."""
_EVERYBODYS, _OWN = "/admin/conflicts", "/me/conflicts"
_SIDES = {Side.CRM: "the CRM", Side.GOOGLE: "Google"}
_OTHER = {Side.CRM: "Google", Side.GOOGLE: "the CRM"}


class ConflictsQuery(shapes.PageQuery):
    """Which conflicts to show: those that wait, unless something else is asked for."""

    state: Literal["open", "resolved", "all"] = "open"
    user: shapes.Text | SkipJsonSchema[None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A field of the meeting on both sides, and as it was agreed on before."""

    field: str
    name: str
    before: Any
    crm: Any
    google: Any
    is_contested: bool
    choice: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A conflict as the page shows it."""

    conflict: conflicts.ConflictDocument
    person: Person

    @property
    def title(self) -> str:
        """What the meeting is called."""
        one = self.conflict
        return meetings.title(one.crm, one.google, one.baseline)

    @property
    def is_open(self) -> bool:
        """Tell whether there is something to choose."""
        return self.conflict.state == ConflictState.OPEN

    @property
    def later(self) -> Side | None:
        """The side that was edited last, if that is known of both."""
        crm, google = self.conflict.crm_edited_at, self.conflict.google_edited_at
        if crm is None or google is None:
            return None
        return Side.CRM if crm > google else Side.GOOGLE

    @property
    def rows(self) -> Sequence[Row]:
        """The fields that say something, those in conflict first."""
        rows = [self._row(field) for field in meetings.FIELDS]
        told = [r for r in rows if r.is_contested or _says(r.crm) or _says(r.google)]
        return sorted(told, key=lambda row: not row.is_contested)

    def _row(self, field: str) -> Row:
        one = self.conflict
        return Row(
            field=field,
            name=meetings.FIELDS[field],
            before=(one.baseline or {}).get(field),
            crm=(one.crm or {}).get(field),
            google=(one.google or {}).get(field),
            is_contested=field in one.fields,
            choice=(one.choice or {}).get(field),
        )


def _says(value: object) -> bool:
    return value not in (None, "", [], False)


class Conflicts:
    """Shows what `api.conflicts` answers, and settles through it."""

    def __init__(self, services: Services) -> None:
        """Take the conflicts."""
        self._store = services.store
        self._conflicts = conflicts.Conflicts(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        own = ADMIN_OR_USER
        one = "<int:conflict_id>/settle"
        routes.show(_EVERYBODYS, self.conflicts, roles=ADMIN)
        routes.show(_OWN, self.own_conflicts, roles=own)
        routes.take(f"{_EVERYBODYS}/{one}", self.settle_conflict, roles=ADMIN)
        routes.take(f"{_EVERYBODYS}/settle", self.settle_conflicts, roles=ADMIN)
        routes.take(f"{_OWN}/{one}", self.settle_own_conflict, roles=own)
        routes.take(f"{_OWN}/settle", self.settle_own_conflicts, roles=own)

    # -- showing ------------------------------------------------------------------

    def conflicts(self) -> ResponseReturnValue:
        """List the conflicts of the organization."""
        query = asking.query(ConflictsQuery)
        return self._list(query, query.user)

    def own_conflicts(self) -> ResponseReturnValue:
        """List the viewer's own conflicts."""
        query = asking.query(ConflictsQuery, user=None)
        return self._list(query, identity.caller().crm_user_id or _NOBODY)

    def _list(self, query: ConflictsQuery, user: str | None) -> ResponseReturnValue:
        page = self._conflicts.list_conflicts(
            asking.validated(
                conflicts.ConflictQuery,
                limit=query.limit,
                cursor=query.cursor,
                state=None if query.state == _ALL else query.state,
                crm_user_id=user,
            )
        )
        organization_id = identity.caller().organization_id
        with self._store.read() as work:
            ids = {each.crm_user_id for each in page.items}
            named = people.of_users(work, organization_id, ids)
            to_choose = work.conflicts.users(organization_id, limit=_MOST_USERS)
            users = people.of_users(work, organization_id, to_choose)
        cards = [Card(conflict=c, person=named[c.crm_user_id]) for c in page.items]
        return render_template(
            "conflicts.html",
            cards=cards,
            query=query,
            is_own=request.path == _OWN,
            users=sorted(users.values(), key=lambda person: person.name),
            next_page=asking.next_page(page.next_cursor),
        )

    # -- settling -----------------------------------------------------------------

    def settle_conflict(self, conflict_id: int) -> ResponseReturnValue:
        """Settle one conflict as an admin."""
        return self._settle_one(conflict_id, back=_EVERYBODYS)

    def settle_own_conflict(self, conflict_id: int) -> ResponseReturnValue:
        """Settle one conflict as its user."""
        return self._settle_one(conflict_id, back=_OWN)

    def settle_conflicts(self) -> ResponseReturnValue:
        """Settle several conflicts as an admin."""
        return self._settle_several(back=_EVERYBODYS)

    def settle_own_conflicts(self) -> ResponseReturnValue:
        """Settle several conflicts as their user."""
        return self._settle_several(back=_OWN)

    def _settle_one(self, conflict_id: int, *, back: str) -> ResponseReturnValue:
        refusal = self._resolve(conflict_id, _body(request.form))
        if refusal is not None:
            flash(refusal, "danger")
        else:
            flash("Your choice is being carried out. Guests get no mail.", "success")
        return redirect(f"{back}#conflict-{conflict_id}", HTTPStatus.SEE_OTHER)

    def _settle_several(self, *, back: str) -> ResponseReturnValue:
        side = request.form.get("keep", "")
        chosen = dict.fromkeys(request.form.getlist("chosen"))
        if side not in set(Side) or not chosen:
            flash("Tick the conflicts first, then say which side to keep.", "danger")
            return redirect(back, HTTPStatus.SEE_OTHER)
        if not confirming.is_confirmed():
            return _ask(Side(side), list(chosen), back)
        refusals = [self._resolve(*_chosen(each, side)) for each in chosen]
        refused = [refusal for refusal in refusals if refusal]
        if done := len(refusals) - len(refused):
            text = confirming.counted(done, "choice is", "choices are")
            flash(f"{text} being carried out. Guests get no mail.", "success")
        if refused:
            one, many = "conflict was left as it is", "conflicts were left as they are"
            text = confirming.counted(len(refused), one, many)
            flash(f"{text}. {refused[0]}", "danger")
        return redirect(back, HTTPStatus.SEE_OTHER)

    def _resolve(self, conflict_id: int, body: Mapping[str, object]) -> str | None:
        """Settle a conflict; return why not, where its choice is late or incomplete."""
        path = asking.validated(conflicts.ConflictPath, conflict_id=conflict_id)
        try:
            self._conflicts.resolve_conflict(
                path, conflicts.ResolveBody.model_validate(body)
            )
        except ValidationError:
            return _INCOMPLETE
        except problems.ProblemError as refusal:
            if refusal.code == HTTPStatus.UNPROCESSABLE_ENTITY:
                return _INCOMPLETE
            if refusal.code != HTTPStatus.CONFLICT:
                raise
            return refusal.description
        return None


_NOBODY = "\N{EN DASH}"
"""No user has this id."""

_INCOMPLETE = "Choose a side for each field that is marked."


def _body(form: Mapping[str, str]) -> dict[str, object]:
    """Return what the form of one conflict says, as the API takes it."""
    version = _number(form.get("version", ""))
    if form.get("keep") in set(Side):
        return {"keep": form["keep"], "version": version}
    given = {n.removeprefix("field."): v for n, v in form.items() if "field." in n}
    return {"fields": given, "version": version}


def _chosen(text: str, side: str) -> tuple[int, dict[str, object]]:
    """Return what a ticked box says: a conflict, and the version that was seen."""
    conflict_id, _, version = text.partition(".")
    return _number(conflict_id), {"keep": side, "version": _number(version)}


def _number(text: str) -> int:
    """Return a number of a form; 0, which nothing has, for what is none."""
    return int(text) if text.isascii() and text.isdecimal() else 0


def _ask(side: Side, chosen: Sequence[str], back: str) -> ResponseReturnValue:
    count = confirming.counted(len(chosen), "meeting")
    return confirming.ask(
        confirming.Question(
            title=f"Keep what {_SIDES[side]} says in {count}?",
            text=f"Where both differ, what {_OTHER[side]} says is overwritten.",
            button=f"Keep what {_SIDES[side]} says in {count}",
            back=back,
            fields=[("keep", side), *(("chosen", each) for each in chosen)],
        )
    )
