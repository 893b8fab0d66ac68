"""A task and its event as they are known now, with all that a decision needs."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.adapters.store import tables
from shared.adapters.store.states import LinkState
from shared.domain import conflict, mapping, model, reconcile, scope
from shared.domain.reasons import Reason
from shared.domain.settings import Settings


@dataclass(slots=True, kw_only=True)
class TaskNow:
    """The task as last read; `changed_at` is when a synced field last changed."""

    presence: reconcile.Presence = reconcile.Presence.ABSENT
    task: model.Task | None = None
    document: model.Document | None = None
    changed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class EventNow:
    """The event as last read; `changed_at` is when a synced field last changed."""

    presence: reconcile.Presence = reconcile.Presence.ABSENT
    event: model.Event | None = None
    document: model.Document | None = None
    changed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Pair:
    """One link, or the one side that may become a link.

    `calendar` and `connection` are those of the event: of the writer copy where there
    is a link, else of the calendar that the event would be, or was found, in.
    """

    organization: tables.Organization
    settings: Settings
    calendar: tables.Calendar
    connection: tables.Connection
    link: tables.Link | None = None
    task: TaskNow = field(default_factory=TaskNow)
    event: EventNow = field(default_factory=EventNow)
    baseline: model.Baseline | None = None
    directory: mapping.Directory = field(
        default_factory=lambda: mapping.Directory.of(())
    )
    people: tuple[Collection[str], Collection[str]] | None = None
    """The user ids and addresses that the directory was looked up for."""
    out_of_scope: Reason | None = None
    not_imported: Reason | None = None
    has_moved: bool = False
    """The event that the link had is on another calendar than it belongs to now."""
    moves_later: bool = False
    """The event belongs on another calendar, but was edited where it still is."""
    clocks_moved: bool = False
    """The remotes' clocks differ from ours in another way than they did."""
    hold: reconcile.Hold | None = None
    """What an admin says to the deletion of one side, with many others."""
    choice: conflict.Choice | None = None
    """What the user of its conflict has chosen, who saw both sides as they are."""
    held_guests: frozenset[model.Address] = frozenset()
    """Guests whom Google did not let us invite yet (`workers.guests`)."""
    guests_due_at: datetime | None = None
    """When to try again to invite them."""
    is_first_try: bool = False
    """The event's id was reserved just now: nobody has made it for this pair before."""
    is_inviting: bool = False
    """Guests that were held back are to be invited now."""
    were_guests_refused: bool = False
    """Google has refused just now to let us invite guests."""
    others_come: bool = False
    """Another connected user has a copy of the event that is not declined."""

    # -- what is known ------------------------------------------------------------

    @property
    def is_detached(self) -> bool:
        """Tell whether the link was taken out of use before."""
        return self.link is not None and self.link.state == LinkState.DETACHED

    @property
    def is_repeated(self) -> bool:
        """Tell whether what is to be written is no edit that somebody made just now."""
        is_begun = self.link is not None and self.link.state == LinkState.PENDING
        return self.has_moved or is_begun

    @property
    def owner_id(self) -> str:
        """The CRM user whose meeting this is; without a task, the calendar's user."""
        if self.task.task is None or self.task.presence is reconcile.Presence.GONE:
            return self.connection.crm_user_id
        return self.task.task.owner_id

    @property
    def event_id(self) -> str:
        """The id of the event, or the one reserved for it."""
        if self.link is not None and self.link.event_id is not None:
            return self.link.event_id
        return self.known_event.id

    @property
    def known_task(self) -> model.Task:
        """The task, for callers that come after it was read."""
        if self.task.task is None:
            message = "this pair has no task yet"
            raise LookupError(message)
        return self.task.task

    @property
    def known_event(self) -> model.Event:
        """The event, for callers that come after it was read."""
        if self.event.event is None:
            message = "this pair has no event yet"
            raise LookupError(message)
        return self.event.event

    @property
    def tag(self) -> mapping.Tag | None:
        """What marks the event as ours; None where that would split a series."""
        event = self.event.event
        if self.task.task is None or (event and event.recurring_event_id):
            return None
        return self.own_tag

    @property
    def own_tag(self) -> mapping.Tag:
        """What marks an event that we make for the task."""
        return mapping.Tag(
            task_id=self.known_task.id, organization=self.organization.name
        )

    def task_meeting(self) -> model.Meeting | None:
        """Return the task in the common form."""
        if self.task.task is None:
            return None
        return mapping.meeting_of_task(
            self.task.task,
            directory=self.directory,
            settings=self.settings,
            own=self.own_addresses(),
        )

    def event_meeting(self) -> model.Meeting | None:
        """Return the event in the common form, as if held guests were on it."""
        meeting = self._meeting_as_read()
        if meeting and not self.is_read_only():
            held = {self.directory.in_crm(email) for email in self.held_guests}
            meeting = replace(meeting, attendees=meeting.attendees | held)
        if meeting and self.is_redacted():
            meeting = mapping.redacted(meeting)
        return mapping.cancelled(meeting) if meeting and self.is_off() else meeting

    def guests_on_event(self) -> frozenset[model.Address]:
        """Return the guests whom the event has already."""
        meeting = self._meeting_as_read()
        return meeting.attendees if meeting else frozenset()

    def _meeting_as_read(self) -> model.Meeting | None:
        event = self._event_as_the_owner_sees_it()
        if event is None:
            return None
        task = self.task_meeting() if event.attendees_omitted else None
        return mapping.meeting_of_event(
            event,
            directory=self.directory,
            owner_id=self.owner_id,
            unlisted=task.attendees if task else None,
        )

    def own_addresses(self) -> frozenset[model.Address]:
        """Return the addresses on the event that are no guests'."""
        event = self._event_as_the_owner_sees_it()
        if event is None:
            return frozenset()
        return mapping.own_addresses(event, directory=self.directory)

    def _event_as_the_owner_sees_it(self) -> model.Event | None:
        """Return the event; whoever's copy leads for the owner is one of the guests."""
        event, link = self.event.event, self.link
        is_led_for_owner = link is not None and link.led_for == self.owner_id
        if event is None or not is_led_for_owner or self._is_owners_calendar():
            return event
        guests = tuple(replace(guest, is_self=False) for guest in event.guests)
        return replace(event, guests=guests)

    def _is_owners_calendar(self) -> bool:
        return self.connection.crm_user_id == self.owner_id

    def responses(self) -> model.Responses:
        """Return the guests' answers; those last seen where the event has none."""
        event = self.event.event
        if event is None or event.is_cancelled:
            return self.baseline.responses if self.baseline else {}
        answers = mapping.responses_of_event(event, directory=self.directory)
        meeting = self.event_meeting()
        guests = meeting.attendees if meeting else frozenset()
        return {email: answer for email, answer in answers.items() if email in guests}

    def created_by(self) -> model.Side:
        """Return the side on which the meeting was first made.

        Of two that meet for the first time, the event is the user's own unless it says
        that we made it: so it is not removed when its task leaves the scope.
        """
        if self.link is not None:
            return model.Side(self.link.origin)
        if self.task.presence is reconcile.Presence.ABSENT:
            return model.Side.GOOGLE
        event = self.event.event
        is_ours = event is None or event.organization == self.organization.name
        return model.Side.CRM if is_ours else model.Side.GOOGLE

    def is_declined(self) -> bool:
        """Tell whether the calendar's user has declined the event, which has a task."""
        event = self.event.event
        has_task = self.link is not None and self.link.task_id is not None
        is_live = event is not None and not event.is_cancelled
        return has_task and is_live and scope.has_declined(self.known_event)

    def is_off(self) -> bool:
        """Tell whether none of the connected users comes to the meeting."""
        return self.is_declined() and not self.others_come

    def names_another_event(self) -> bool:
        """Tell whether the task names an event that the meeting has been until now."""
        task = self.task.task
        is_live = self.task.presence is reconcile.Presence.LIVE
        if task is None or not is_live or task.google_event_id is None:
            return False
        has_event = self.event.presence is reconcile.Presence.LIVE
        return has_event and task.google_event_id != self.event_id

    def is_read_only(self) -> bool:
        """Tell whether the calendar's user may not write, or make, the event."""
        if self.event.event is None:
            return self.calendar.access_role not in scope.WRITABLE_ROLES
        if self.is_redacted():
            return True
        return scope.is_read_only(self.event.event, self.calendar.access_role)

    def is_redacted(self) -> bool:
        """Tell whether the CRM may know no more of the event than when it is.

        What we made of a task is no secret to the CRM, whatever Google calls it.
        """
        event = self.event.event
        is_private = event is not None and scope.is_private(event)
        return is_private and self.created_by() is model.Side.GOOGLE

    def on_hold(self) -> Reason | None:
        """Return why the event, in its present form, cannot be mapped to a task."""
        if self.event.event is None:
            return None
        return scope.why_on_hold(self.event.event, self.settings)

    # -- what is learnt -----------------------------------------------------------

    def saw_clocks(self, *, crm: timedelta | None, google: timedelta | None) -> None:
        """Take in what the last answers told of the remotes' clocks."""
        if crm is not None:
            before = self.organization.crm_skew_seconds
            self.organization.crm_skew_seconds = crm.total_seconds()
            self.clocks_moved |= _has_moved(before, crm)
        if google is not None:
            before = self.connection.google_skew_seconds
            self.connection.google_skew_seconds = google.total_seconds()
            self.clocks_moved |= _has_moved(before, google)

    def saw_task(self, document: model.Document) -> None:
        """Take in the task as the CRM has it now."""
        before = self.task_meeting()
        task = mapping.task_from_document(document)
        is_new = self.task.presence is reconcile.Presence.ABSENT
        live, gone = reconcile.Presence.LIVE, reconcile.Presence.GONE
        self.task.task = task
        self.task.document = document
        self.task.presence = gone if task.deleted else live
        if is_new or task.deleted or _differ(before, self.task_meeting()):
            self.task.changed_at = task.updated_at

    def saw_no_task(self) -> None:
        """Take in that the CRM no longer knows the task."""
        self.task.presence = reconcile.Presence.GONE

    def saw_event(self, document: model.Document) -> None:
        """Take in the event as Google has it now."""
        before = self.event_meeting()
        event = mapping.event_from_document(
            document, calendar_zone=self.calendar.time_zone
        )
        self.event.event = event
        self.event.document = document
        self.event.presence = reconcile.Presence.LIVE
        if _differ(before, self.event_meeting()):
            self.event.changed_at = event.updated_at

    def wrote_event(self, document: model.Document) -> None:
        """Take in the event as our own write left it, which is nobody's edit."""
        edited_at = self.event.changed_at
        self.saw_event(document)
        self.event.changed_at = edited_at

    def saw_no_event(self) -> None:
        """Take in that Google no longer knows the event."""
        self.saw_event_end()
        self.event.presence = reconcile.Presence.GONE

    def saw_event_end(self) -> None:
        """Take in that the event is cancelled, without the tombstone that it left."""
        if self.event.document is not None:
            self.saw_event(mapping.deleted(self.event.document))

    def move_to(self, connection: tables.Connection, calendar: tables.Calendar) -> None:
        """Take in that the event belongs on another calendar, where it is not yet."""
        self.connection = connection
        self.calendar = calendar
        self.event = EventNow()
        self.baseline = None
        self.has_moved = True


def _has_moved(before_seconds: float, skew: timedelta) -> bool:
    # Less than that is within the resolution of the headers it comes from.
    return abs(skew.total_seconds() - before_seconds) > 1


def _differ(before: model.Meeting | None, after: model.Meeting | None) -> bool:
    if before is None or after is None:
        return True
    return bool(mapping.changed_fields(before, after))
