"""The smallest loop around the core that syncs: look at a record, decide, write.

Nothing of `workers` is in it, so that the core is proven by itself.
"""

from collections.abc import Callable
from dataclasses import replace

from shared.domain import errors, identifiers, mapping, model, reconcile
from shared.domain.model import Side
from shared.domain.reconcile import Decision, Half, Presence, Situation, Write
from shared.domain.settings import ConflictPolicy, Settings
from tests.property import reading, writing
from tests.property.links import Link, Links, Seen, Subject
from tests.property.reading import Pair
from tests.property.sides import ACME, PRIMARY, World

MAX_DECISIONS = 6
_KEPT = {Side.CRM: ConflictPolicy.CRM_WINS, Side.GOOGLE: ConflictPolicy.GOOGLE_WINS}


class Loop:
    """Syncs one user's tasks with one calendar."""

    def __init__(self, world: World, settings: Settings) -> None:
        """Begin without links."""
        self.settings = settings
        self.links = Links(world)
        self._world = world

    def situation(self, link: Link) -> Situation:
        """Return where both sides of a link are now."""
        return self._read(link).situation

    def look(
        self,
        subject: Subject,
        *,
        keep: Side | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Bring a record and its counterpart together.

        `keep` is the side that a user chose in a conflict; `meanwhile` happens between
        reading and writing. Raises `RetryableError`: the message must come again.
        """
        link = self.links.of(subject)
        settings = self.settings
        if keep is not None:
            settings = replace(settings, conflict_policy=_KEPT[keep])
        for _ in range(MAX_DECISIONS):
            pair = self._read(link)
            if meanwhile is not None:
                meanwhile()
                meanwhile = None
            decision = reconcile.reconcile(pair.situation, settings)
            try:
                if self._carry_out(link, pair, decision):
                    return
            except errors.StaleStateError:
                continue
        raise errors.ContendedRecordError

    def _read(self, link: Link) -> Pair:
        is_new = link not in self.links.stored
        return reading.read(self._world, link, self.settings, is_new=is_new)

    def _carry_out(self, link: Link, pair: Pair, decision: Decision) -> bool:
        """Do what was decided; tell whether that is all."""
        link.reason, link.contested = decision.reason, decision.contested
        if decision.remove_event:
            writing.cancel_event(self._world, pair)
        link.is_detached |= decision.detach
        if decision.target is None:
            if decision.contested:
                self.links.store(link)
            return True
        self._write(link, pair, decision.target)
        return self._agree(link, decision.target)

    def _write(self, link: Link, pair: Pair, target: model.Meeting) -> None:
        event_write = reconcile.event_write(pair.situation, target)
        task_write = reconcile.task_write(pair.situation, target)
        if event_write is Write.CREATE and pair.task is not None:
            self._reserve(link, pair, target, Side.GOOGLE)
            link.event_id = identifiers.event_id(
                ACME, pair.task.id, PRIMARY, link.generation
            )
            link.event_seen = Seen()
        if task_write is Write.CREATE:
            self._reserve(link, pair, target, Side.CRM)
            # The task that was deleted is not the one that is made now.
            link.task_id, link.task_seen = None, Seen()
        self.links.store(link)
        writing.write_event(self._world, link, pair, target, event_write)
        if task_write is Write.CREATE:
            writing.create_task(self._world, link, pair, target, self.settings)
        else:
            writing.write_task(self._world, link, pair, target, self.settings)

    def _reserve(
        self, link: Link, pair: Pair, target: model.Meeting, side: Side
    ) -> None:
        """Store what is going to be made before making it, under which generation."""
        if link.reserved is side:
            return
        link.generation += link in self.links.stored
        answers = dict(pair.situation.responses)
        link.baseline = model.Baseline(meeting=target, responses=answers)
        link.reserved = side

    def _agree(self, link: Link, target: model.Meeting) -> bool:
        """Move the baseline to the target if both sides are there now."""
        after = self.situation(link)
        if not all(_has_reached(half, target) for half in (after.task, after.event)):
            return False
        link.is_detached = False
        answers = dict(after.responses)
        link.baseline = model.Baseline(meeting=target, responses=answers)
        return True


def _has_reached(half: Half, target: model.Meeting) -> bool:
    if half.presence is not Presence.LIVE or half.meeting is None:
        return target.cancelled
    return not mapping.changed_fields(half.meeting, target)
