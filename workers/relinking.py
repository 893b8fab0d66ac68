"""Make links out of claims, as if they had never been lost.

Nothing is written but our own tables. A pair that is equal counts as agreed on; of one
that is not, nobody knows any more which side was edited, so the policy decides when it
is looked at.

A link's generation is committed before the event of that generation is made. So an
event of a later one shows that the link is out of a backup: it is led to that event.
Else the end of the former event, which went when the task got another owner, would
pass for its user's wish.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import tenacity

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import LinkState
from shared.domain import errors, model
from shared.domain.settings import Settings
from workers import census, placing, situation, stored
from workers.claims import Claim, FoundBy
from workers.pair import Pair
from workers.services import Services
from workers.window import Window

_TRIES = 5
"""How often the same links are tried while workers make some of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A link that was made; `is_equal`: both sides say the same.

    `is_renewed`: it was there, and older than its event.
    """

    task_id: str
    event_id: str
    found_by: FoundBy
    is_equal: bool
    is_renewed: bool


class Linker:
    """Stores the links."""

    def __init__(
        self,
        services: Services,
        organization: tables.Organization,
        documents: Mapping[str, model.Document],
    ) -> None:
        """Take the tasks, by their ids."""
        self._services = services
        self._organization = organization
        self._settings = Settings.from_document(organization.settings)
        self._documents = documents
        self._deleted = Counter(
            document.get("google_event_id")
            for document in documents.values()
            if document["deleted"]
        )
        """How many tasks an event had before."""

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(errors.RecordBusyError),
        stop=tenacity.stop_after_attempt(_TRIES),
        reraise=True,
    )
    def link(self, claims: Sequence[Claim]) -> list[Made]:
        """Make links in one go; skips a task, or a meeting, that has one by now.

        Unless that one is older than the event. Raises `RecordBusyError` if workers
        link some of the records meanwhile, time and again.
        """
        with self._services.store.begin() as work:
            made = [each for claim in claims if (each := self._link(work, claim))]
            work.commit()
        return made

    def _link(self, work: UnitOfWork, claim: Claim) -> Made | None:
        calendar = work.calendars.by_id(claim.calendar_id)
        copy = work.copies.of(calendar.id, claim.event_id)
        if copy is None:
            return None
        pair = Pair(
            organization=self._organization,
            settings=self._settings,
            calendar=calendar,
            connection=work.connections.by_id(calendar.connection_id),
        )
        pair.saw_event(copy.document)
        pair.event.changed_at = copy.changed_at
        known = work.links.of_task(self._organization.id, claim.task_id)
        if known is not None and self._is_behind(pair, known):
            return self._renew(work, pair, claim, known)
        if placing.link_of_event(work, pair) is not None:
            return None
        if known is not None:
            self._join_former(pair, copy, known)
            return None
        is_guess = claim.found_by is FoundBy.LIKENESS
        if is_guess and placing.why_not_new(work, pair) is not None:
            return None
        return self._make(work, pair, claim)

    def _join_former(self, pair: Pair, copy: tables.Copy, link: tables.Link) -> None:
        """Join an event that was left behind when its task's event moved."""
        if self._generation(pair, link.task_id) is not None:
            copy.link_id = link.id

    def _make(self, work: UnitOfWork, pair: Pair, claim: Claim) -> Made:
        link = work.links.add(self._row(pair, claim.task_id, self._now()))
        return self._store(work, pair, claim, link)

    def _is_behind(self, pair: Pair, link: tables.Link) -> bool:
        made = self._generation(pair, link.task_id)
        return made is not None and made > link.generation

    def _renew(
        self, work: UnitOfWork, pair: Pair, claim: Claim, link: tables.Link
    ) -> Made:
        event, now = pair.known_event, self._now()
        link.generation = self._generation(pair, link.task_id) or link.generation
        link.calendar_id, link.event_id = pair.calendar.id, event.id
        link.ical_uid, link.original_start = event.ical_uid, ""
        link.state = self._state(pair, model.Side(link.origin), now)
        made = self._store(work, pair, claim, link)
        return replace(made, is_renewed=True)

    def _store(
        self, work: UnitOfWork, pair: Pair, claim: Claim, link: tables.Link
    ) -> Made:
        now = self._now()
        pair.link = link
        pair.saw_task(self._documents[claim.task_id])
        stored.know_people(work, pair)
        for other in work.copies.of_meeting(pair.link):
            other.link_id = pair.link.id
        pair.others_come = pair.is_declined() and stored.others_come(work, pair)
        pair.link.led_for = _led_for(pair)
        is_equal = _agree(pair)
        if is_equal:
            stored.settle(work, pair, now, link_id=pair.link.id)
        else:
            stored.save(work, pair, now)
        # The next round of the timers has the connection's events listed in full.
        selected = work.calendars.selected_of(pair.connection.id)
        (selected or pair.calendar).listed_at = None
        return Made(
            task_id=claim.task_id,
            event_id=claim.event_id,
            found_by=claim.found_by,
            is_equal=is_equal,
            is_renewed=False,
        )

    def _now(self) -> datetime:
        return self._services.clock.now()

    def _row(self, pair: Pair, task_id: str, now: datetime) -> tables.Link:
        event = pair.known_event
        named = {task_id, event.task_id}
        generations = [self._generation(pair, each) for each in named]
        made = [each for each in generations if each is not None]
        origin = model.Side.CRM if made else model.Side.GOOGLE
        return tables.Link(
            organization_id=self._organization.id,
            task_id=task_id,
            ical_uid=event.ical_uid,
            original_start=event.original_start or "",
            state=self._state(pair, origin, now),
            origin=origin,
            generation=max([*made, self._deleted[event.id]]),
            calendar_id=pair.calendar.id,
            event_id=event.id,
            created_at=now,
            updated_at=now,
        )

    def _generation(self, pair: Pair, task_id: str | None) -> int | None:
        event = pair.known_event
        return census.generation_of(event, self._organization, pair.calendar, task_id)

    def _state(self, pair: Pair, origin: model.Side, now: datetime) -> LinkState:
        """Tell whether the link was in use: not for what is past, or left behind."""
        event, window = pair.known_event, Window.around(now, self._settings)
        starts_at = event.starts_at
        has_passed = starts_at is not None and starts_at < window.start
        is_left = not pair.calendar.is_selected and origin is model.Side.GOOGLE
        if is_left or (event.original_start and has_passed):
            return LinkState.DETACHED
        return LinkState.ACTIVE


def _led_for(pair: Pair) -> str | None:
    """Return the user whose task it is, if another user's copy had taken the lead."""
    task = pair.known_task
    is_theirs = pair.created_by() is model.Side.GOOGLE
    is_own = task.owner_id == pair.connection.crm_user_id
    is_where_it_was = task.google_calendar_id == pair.calendar.google_calendar_id
    return task.owner_id if is_theirs and not (is_own or is_where_it_was) else None


def _agree(pair: Pair) -> bool:
    """Take it as agreed on if both sides say the same, and tell whether they do."""
    event = pair.event_meeting()
    if event is None:
        return False
    answers = pair.responses()
    told = {
        guest.email: guest.response
        for guest in pair.known_task.attendees
        if guest.email in answers
    }
    return situation.agree(pair, event, told) and told == dict(answers)
