"""Repair what `workers.search` has found.

Only our own tables are written here: a link says what had been agreed on, and whoever
consumes the queues has a look, with its locks, its history, and no mail. The one write
of its own cancels a task, conditionally, because no link can say that.
"""

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import LinkState
from shared.domain import errors, identifiers, mapping, messages, model
from shared.domain.messages import Message, Queue, Trigger
from workers import intake, stored
from workers.orphans import Orphan, Repair
from workers.services import Services


class Mending:
    """Repairs orphans of one organization, one at a time; again does no harm."""

    def __init__(self, services: Services, organization: tables.Organization) -> None:
        """Take what the workers need from outside."""
        self._services = services
        self._store = services.store
        self._clock = services.clock
        self._organization = organization

    def repair(self, orphan: Orphan) -> bool:
        """Carry out the repair of an orphan; return whether a worker has to finish it.

        Raises what the store, the broker or the CRM raise; nothing has changed then, or
        the next search finds it again.
        """
        match orphan.repair:
            case Repair.FORGET_LINK:
                self._forget(orphan)
                return False
            case Repair.CANCEL_TWIN:
                self._cancel_twin(orphan.task_id or "")
                return False
            case Repair.CANCEL_EVENT:
                self._link_to_nothing(orphan)
                self._look(self._task(orphan))
            case Repair.REMOVE_EVENT:
                self._join_as_former(orphan)
                self._look(_event(orphan))
            case Repair.CANCEL_TASK:
                self._look(_event(orphan))
            case Repair.MAKE_EVENT:
                self._look(self._task(orphan))
            case None:
                message = "it has no repair"
                raise ValueError(message)
        return True

    # -- looks --------------------------------------------------------------------

    def _look(self, subject: messages.Subject) -> None:
        now = self._clock.now()
        self._services.broker.publish(
            Message(
                id=identifiers.delivery_id("repair", repr(subject), now.isoformat()),
                queue=Queue.BACKFILL,
                subject=subject,
                trigger=Trigger.REPAIR,
                queued_at=now,
            )
        )

    def _task(self, orphan: Orphan) -> messages.TaskDue:
        return messages.TaskDue(
            organization_id=self._organization.id, task_id=orphan.task_id or ""
        )

    # -- what a look goes by ------------------------------------------------------

    def _link_to_nothing(self, orphan: Orphan) -> None:
        """Link an event to its deleted task, as if both had agreed until then."""
        if orphan.link_id is not None:
            return
        with self._store.begin() as work:
            copy = self._copy(work, orphan)
            known = work.links.of_task(self._organization.id, orphan.task_id or "")
            if known is not None:
                # The task has had another event since.
                _join(copy, known)
            else:
                self._agree(work, orphan, copy)
            work.commit()

    def _agree(self, work: UnitOfWork, orphan: Orphan, copy: tables.Copy) -> None:
        now = self._clock.now()
        calendar = work.calendars.by_id(copy.calendar_id)
        link = work.links.add(
            tables.Link(
                organization_id=self._organization.id,
                task_id=orphan.task_id,
                ical_uid=copy.ical_uid,
                original_start=copy.original_start,
                state=LinkState.PENDING,
                pending_since=now,
                origin=model.Side.CRM,
                calendar_id=calendar.id,
                event_id=copy.event_id,
                created_at=now,
                updated_at=now,
            )
        )
        copy.link_id = link.id
        pair = stored.pair_of_link(work, self._organization, link)
        meeting = pair.event_meeting()
        if meeting is not None:
            known = model.Baseline(meeting=meeting, responses=pair.responses())
            link.baseline = mapping.baseline_to_document(known)

    def _join_as_former(self, orphan: Orphan) -> None:
        with self._store.begin() as work:
            link = work.links.of_task(self._organization.id, orphan.task_id or "")
            if link is None or link.event_id == orphan.event_id:
                # It is the task's own event by now.
                raise errors.RecordBusyError
            _join(self._copy(work, orphan), link)
            work.commit()

    def _copy(self, work: UnitOfWork, orphan: Orphan) -> tables.Copy:
        calendar = work.calendars.by_id(orphan.calendar_id)
        intake.take_in(work, calendar, [orphan.event or {}])
        (copy,) = work.copies.among(calendar.id, [orphan.event_id or ""]).values()
        copy.settled_etag = None
        return copy

    # -- what needs none ----------------------------------------------------------

    def _forget(self, orphan: Orphan) -> None:
        with self._store.begin() as work:
            work.links.forget(orphan.link_id or 0)
            work.commit()

    def _cancel_twin(self, task_id: str) -> None:
        with self._store.read() as work:
            link = work.links.of_task(self._organization.id, task_id)
        if link is not None:
            # It has got an event meanwhile.
            raise errors.RecordBusyError
        crm = self._services.remotes.crm(self._organization)
        version = crm.get_task(task_id)["version"]
        status = model.TaskStatus.CANCELLED.value
        crm.update_task(task_id, {"status": status}, version=version)


def _event(orphan: Orphan) -> messages.EventDue:
    return messages.EventDue(
        calendar_id=orphan.calendar_id or 0,
        event_id=orphan.event_id or "",
        must_read=True,
    )


def _join(copy: tables.Copy, link: tables.Link) -> None:
    """Say that an event is one that the link had before: a look removes it then."""
    copy.link_id = link.id
    link.generation += 1
