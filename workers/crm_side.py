"""Read and write the task of a pair, with compare-and-swap on its version.

A write that finds the task moved on takes in its present state and raises the
`StaleStateError` again, so that the caller decides anew.
"""

from datetime import timedelta

from shared.domain import errors, identifiers, mapping, model
from shared.domain.reconcile import Write
from workers.pair import Pair
from workers.remotes import Remotes

_UNCERTAINTY = timedelta(seconds=10)
"""How wrong what we know of the CRM's clock may be."""


class CrmSide:
    """The task's half of a pair."""

    def __init__(self, remotes: Remotes) -> None:
        """Take the CRMs to write to."""
        self._remotes = remotes

    def read(self, pair: Pair) -> None:
        """Read the task into the pair."""
        crm = self._remotes.crm(pair.organization)
        try:
            document = crm.get_task(pair.known_task.id)
        except errors.RecordNotFoundError:
            pair.saw_no_task()
        else:
            pair.saw_task(document)

    def adopt(self, pair: Pair, task_id: str) -> None:
        """Take in a task that says of itself that it has the pair's event."""
        pair.baseline = None
        pair.saw_task(self._remotes.crm(pair.organization).get_task(task_id))

    def write(
        self,
        pair: Pair,
        write: Write,
        target: model.Meeting,
        *,
        responses: model.Responses,
    ) -> None:
        """Bring the task to `target`; raises `StaleStateError` if it had moved on."""
        try:
            match write:
                case Write.NOTHING:
                    return
                case Write.CREATE:
                    self._create(pair, target, responses)
                case Write.UPDATE | Write.CANCEL | Write.REVIVE:
                    self._patch(pair, target, responses)
        except errors.VersionMismatchError as error:
            if error.current is None:
                self.read(pair)
            else:
                pair.saw_task(error.current)
            raise
        except errors.RecordDeletedError:
            self.read(pair)
            raise
        except errors.RecordNotFoundError:
            pair.saw_no_task()
            raise

    def _create(
        self, pair: Pair, target: model.Meeting, responses: model.Responses
    ) -> None:
        deleted = pair.task.task
        body = mapping.task_body(
            target,
            type_name=deleted.type if deleted else pair.settings.default_task_type,
            owner_id=pair.owner_id,
            responses=responses,
            event=pair.known_event,
            calendar_id=pair.calendar.google_calendar_id,
            directory=pair.directory,
        )
        crm = self._remotes.crm(pair.organization)
        pair.saw_task(crm.create_task(body, idempotency_key=self._key(pair)))
        if _is_of_earlier_life(pair):
            # Nothing says which side was edited since.
            pair.baseline = None

    @staticmethod
    def _key(pair: Pair) -> str:
        event = pair.known_event
        return identifiers.task_idempotency_key(
            pair.organization.name,
            event.ical_uid or event.id,
            event.original_start or "",
            pair.link.generation if pair.link else 0,
        )

    def _patch(
        self, pair: Pair, target: model.Meeting, responses: model.Responses
    ) -> None:
        task, present = pair.known_task, pair.task_meeting()
        fields = mapping.changed_fields(present, target) if present else _ALL_FIELDS
        body = mapping.task_patch(
            task,
            target,
            fields,
            responses=responses,
            settings=pair.settings,
            directory=pair.directory,
            own=pair.own_addresses(),
        )
        if not body and not pair.names_another_event():
            return
        ids = {
            "google_event_id": pair.event_id,
            "google_calendar_id": pair.calendar.google_calendar_id,
        }
        document = {**body, **ids}
        crm = self._remotes.crm(pair.organization)
        pair.saw_task(crm.update_task(task.id, document, version=task.version))


_ALL_FIELDS = frozenset(model.Field)


def _is_of_earlier_life(pair: Pair) -> bool:
    """Tell whether the task was there before its event was reserved for it.

    The CRM answers a repeated key with the task that was made first; after our database
    was lost, that is none which an attempt of ours made unheard.
    """
    since = pair.link.pending_since if pair.link else None
    skew = timedelta(seconds=pair.organization.crm_skew_seconds)
    made_at = pair.known_task.created_at - skew
    return since is not None and made_at < since - _UNCERTAINTY
