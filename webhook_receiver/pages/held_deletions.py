"""Deletions of many records at once: what they are, and what each choice does."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue

from shared.domain.model import Side
from webhook_receiver import identity, problems
from webhook_receiver.api import held_deletions, shapes
from webhook_receiver.api.held_deletions import HeldDeletionDocument, HeldDeletionPath
from webhook_receiver.pages import asking, confirming, meetings, people
from webhook_receiver.pages.people import Person
from webhook_receiver.pages.routes import ADMIN, PageRoutes
from webhook_receiver.services import Services

_PATH = "/admin/held-deletions"
_NAMED = 20
"""So many titles a question names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A held deletion as the page shows it."""

    held: HeldDeletionDocument
    person: Person | None

    @property
    def count(self) -> str:
        """How many meetings it is about."""
        return confirming.counted(self.held.count, "meeting")

    @property
    def here(self) -> str:
        """Where they were deleted."""
        return "the CRM" if self.held.side == Side.CRM else "Google Calendar"

    @property
    def there(self) -> str:
        """Where they are still."""
        return "Google Calendar" if self.held.side == Side.CRM else "the CRM"

    @property
    def approving(self) -> str:
        """What comes of approving it."""
        number = self.held.count
        if self.held.side == Side.CRM:
            events = confirming.counted(number, "event is", "events are")
            return f"{events} deleted in Google Calendar, too. No guest gets mail."
        tasks = confirming.counted(number, "task is", "tasks are")
        return f"{tasks} marked as cancelled in the CRM. None is deleted."

    @property
    def rejecting(self) -> str:
        """What comes of rejecting it."""
        return (
            f"{self.count} come back in {self.here}, as they are in {self.there}. "
            "No guest gets mail."
        )


class HeldDeletions:
    """Shows what `api.held_deletions` answers, and decides through it."""

    def __init__(self, services: Services) -> None:
        """Take the held deletions."""
        self._store = services.store
        self._held = held_deletions.HeldDeletions(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        one = f"{_PATH}/<int:held_deletion_id>"
        routes.show(_PATH, self.held_deletions, roles=ADMIN)
        routes.take(f"{one}/approve", self.approve_deletion, roles=ADMIN)
        routes.take(f"{one}/reject", self.reject_deletion, roles=ADMIN)

    def held_deletions(self) -> ResponseReturnValue:
        """List the deletions that wait for a decision."""
        page = self._held.list_held_deletions(asking.query(shapes.PageQuery))
        organization_id = identity.caller().organization_id
        with self._store.read() as work:
            named = people.of_connections(
                work, organization_id, [each.connection_id for each in page.items]
            )
        cards = [
            Card(held=each, person=named.get(each.connection_id)) for each in page.items
        ]
        return render_template(
            "held_deletions.html",
            cards=cards,
            next_page=asking.next_page(page.next_cursor),
        )

    def approve_deletion(self, held_deletion_id: int) -> ResponseReturnValue:
        """Let the other side follow, once that is confirmed."""
        if not confirming.is_confirmed():
            card = self._waiting(held_deletion_id)
            if card is not None:
                return confirming.ask(_question(card))
        return self._decide(held_deletion_id, self._held.approve_deletion)

    def reject_deletion(self, held_deletion_id: int) -> ResponseReturnValue:
        """Restore what was deleted."""
        return self._decide(held_deletion_id, self._held.reject_deletion)

    def _waiting(self, held_id: int) -> Card | None:
        """Return a deletion that still waits; None for any other."""
        cursor = str(held_id + 1)  # pages go by descending id
        before = asking.validated(shapes.PageQuery, limit=1, cursor=cursor)
        for held in self._held.list_held_deletions(before).items:
            if held.id == held_id:
                return Card(held=held, person=None)
        return None

    def _decide(
        self,
        held_id: int,
        decide: Callable[[HeldDeletionPath], HeldDeletionDocument],
    ) -> ResponseReturnValue:
        path = asking.validated(HeldDeletionPath, held_deletion_id=held_id)
        try:
            count = confirming.counted(decide(path).count, "meeting is", "meetings are")
            text = f"{count} being brought in step. The sync history shows how it goes."
            flash(text, "success")
        except problems.ProblemError as refusal:
            if refusal.code != HTTPStatus.CONFLICT:
                raise
            flash(refusal.description or "", "danger")
        return redirect(_PATH, HTTPStatus.SEE_OTHER)


def _question(card: Card) -> confirming.Question:
    titles = [each.title or meetings.UNTITLED for each in card.held.items]
    return confirming.Question(
        title=f"Let {card.there} follow the deletion of {card.count}?",
        text=card.approving,
        button=f"Approve the deletion of {card.count}",
        back=f"{_PATH}#deletion-{card.held.id}",
        names=titles[:_NAMED],
        more=max(0, len(titles) - _NAMED),
    )
