"""Orphans and duplicates: what the last search has found, and what a repair does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from shared.adapters.store.states import OrphanState
from webhook_receiver import identity
from webhook_receiver.api import orphans, shapes
from webhook_receiver.api.orphans import OrphanDocument, RepairBody
from webhook_receiver.pages import acting, asking, confirming, people
from webhook_receiver.pages.people import Person
from webhook_receiver.pages.routes import ADMIN, PageRoutes
from webhook_receiver.services import Services

_PATH = "/admin/orphans"
_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of finding, in words."""

    title: str
    text: str
    repair: str


KINDS: Mapping[str, Kind] = {
    "events-without-task": Kind(
        title="Events whose task is deleted",
        text="An event that we made takes place, but its task in the CRM is deleted.",
        repair="The event is cancelled in Google. No guest gets mail.",
    ),
    "tasks-without-event": Kind(
        title="Tasks whose event is deleted",
        text="A task is to be in the calendar, but its event is gone there.",
        repair=(
            "The event is made again; where its user deleted it in Google, the task is "
            "marked as cancelled. No task is deleted, no guest gets mail."
        ),
    ),
    "duplicate-events": Kind(
        title="Events that are there twice",
        text="One task has several events, or events on one calendar look alike.",
        repair=(
            "What we made besides the task's own event is removed, without mail. Two "
            "that only look alike may be two meetings: delete one by hand, if so."
        ),
    ),
    "duplicate-tasks": Kind(
        title="Tasks that are there twice",
        text="Tasks of one user look alike, and at least one came from Google.",
        repair=(
            "The one that has no event is marked as cancelled. Where both have one, "
            "delete one by hand if they are the same meeting."
        ),
    ),
    "dead-links": Kind(
        title="Links to nothing",
        text="We remember a task and an event that neither side knows any more.",
        repair="The link is forgotten. Neither side is written.",
    ),
}

STATES: Mapping[str, tuple[str, str]] = {
    OrphanState.FOUND: ("Found", "warn"),
    OrphanState.CHOSEN: ("Being repaired", "info"),
    OrphanState.REPAIRED: ("Repaired", "good"),
    OrphanState.FAILED: ("Repair failed", "bad"),
    OrphanState.GONE: ("In order by now", "good"),
}
"""What has become of a finding, as a word and its tone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A finding, and whose it is."""

    orphan: OrphanDocument
    person: Person

    @property
    def is_repairable(self) -> bool:
        """Tell whether it can be ticked."""
        is_open = self.orphan.state in {OrphanState.FOUND, OrphanState.FAILED}
        return is_open and self.orphan.repair is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The findings of one kind; `repairable` counts those of other pages, too."""

    code: str
    kind: Kind
    lines: Sequence[Line]
    repairable: int


class Orphans:
    """Shows what `api.orphans` answers, and has it repaired."""

    def __init__(self, services: Services) -> None:
        """Take the orphans."""
        self._store = services.store
        self._orphans = orphans.Orphans(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        routes.show(_PATH, self.show_orphans, roles=ADMIN)
        routes.take(f"{_PATH}/search", self.search_for_orphans, roles=ADMIN)
        routes.take(f"{_PATH}/repair", self.repair_chosen_orphans, roles=ADMIN)

    def show_orphans(self) -> ResponseReturnValue:
        """List what the last search has found, by kind."""
        cursor = asking.query(shapes.PageQuery).cursor
        query = asking.validated(orphans.OrphanQuery, limit=_AT_ONCE, cursor=cursor)
        page = self._orphans.list_orphans(query)
        organization_id = identity.caller().organization_id
        ids = {*page.search.unread, *(each.crm_user_id for each in page.items)}
        with self._store.read() as work:
            named = people.of_users(work, organization_id, ids)
            repairable = work.orphans.count_repairable(organization_id)
        lines = [Line(orphan=o, person=named[o.crm_user_id]) for o in page.items]
        return render_template(
            "orphans.html",
            search=page.search,
            groups=_groups(lines, repairable),
            unread=[named[each] for each in page.search.unread],
            states=STATES,
            next_page=asking.next_page(page.next_cursor),
        )

    def search_for_orphans(self) -> ResponseReturnValue:
        """Have both sides compared."""
        acting.attempt(
            self._orphans.search_orphans,
            done="The search has begun. Reload the page in a minute.",
        )
        return redirect(_PATH, HTTPStatus.SEE_OTHER)

    def repair_chosen_orphans(self) -> ResponseReturnValue:
        """Have the ticked ones, or all of a kind, repaired once that is confirmed."""
        selection = _selection()
        if selection is None:
            flash("Tick what is to be repaired first.", "danger")
            return redirect(_PATH, HTTPStatus.SEE_OTHER)
        if not confirming.is_confirmed():
            return confirming.ask(self._question(selection))
        acting.attempt(
            lambda: self._orphans.repair_orphans(selection),
            done="The repair has begun. Reload the page in a minute.",
        )
        return redirect(_PATH, HTTPStatus.SEE_OTHER)

    def _question(self, selection: RepairBody) -> confirming.Question:
        with self._store.read() as work:
            rows = work.orphans.repairable(
                identity.caller().organization_id,
                ids=selection.ids,
                kind=selection.kind,
            )
        fields = [("ids", str(each)) for each in selection.ids or ()]
        count = confirming.counted(len(rows), "finding")
        told = [
            f"{row.title or row.task_id or row.event_id}: {row.repair}" for row in rows
        ]
        return confirming.Question(
            title=f"Repair {count}?",
            text=(
                "Both sides are searched again first, and only what is still wrong is "
                "repaired. Nobody gets mail, and no task is deleted."
            ),
            button=f"Repair {count}",
            back=_PATH,
            fields=fields or [("kind", selection.kind or "")],
            names=told[:_NAMED],
            more=max(0, len(told) - _NAMED),
            is_final=False,
        )


_NAMED = 20
"""So many findings a question names."""


def _selection() -> RepairBody | None:
    if kind := request.form.get("kind"):
        return asking.validated(RepairBody, kind=kind)
    ids = [int(each) for each in request.form.getlist("ids") if each.isdecimal()]
    return asking.validated(RepairBody, ids=ids) if ids else None


def _groups(lines: Sequence[Line], repairable: Mapping[str, int]) -> Sequence[Group]:
    groups = [
        Group(
            code=code,
            kind=kind,
            lines=[line for line in lines if line.orphan.kind == code],
            repairable=repairable.get(code, 0),
        )
        for code, kind in KINDS.items()
    ]
    return [group for group in groups if group.lines]
