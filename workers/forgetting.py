"""All that is stored of one user goes, but for what another user has a part in.

In small steps, each of which may be the last: whoever begins anew goes on. First the
access to Google ends, so that nobody stores more meanwhile; then meetings that others
come to are left to them; at last the connection goes, once nothing is left of it.
Events and tasks stay where they are. So does the user in our copy of the CRM's list,
for as long as the CRM has the user: it says who the guests of others' meetings are.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from shared.adapters.store import REMOVED, Owner, Store, UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, messages, model
from workers import handover, holding, revoking, subjects
from workers.services import Services

log = logging.getLogger(__name__)

AT_ONCE = 500
"""So many rows go in one transaction."""

_TRIES = 3
"""How often it is begun anew where more was stored meanwhile."""

_PAUSE_SECONDS = 0.5
"""What is in hand meanwhile may be done after so long."""

_CONNECTED = frozenset(ConnectionState) - {ConnectionState.DISCONNECTED}
"""Who is only paused goes on with what is shared afterwards."""


class Forgetting:
    """Deletes what is stored of a user."""

    def __init__(self, services: Services) -> None:
        """Take the store, and the accounts."""
        self._store = services.store
        self._remotes = services.remotes
        self._clock = services.clock
        self.is_grant_left = False
        """Google did not end the access, which only the user can do then."""

    def count(self, owner: Owner) -> Counter[str]:
        """Return how many rows of each kind there are, where there are any."""
        with self._store.read() as work:
            counted = Counter(work.belongings.count(owner))
        counted["dead_letters"] = sum(map(len, letters_of(self._store, owner)))
        return +counted

    def user(self, owner: Owner) -> Counter[str]:
        """Delete what is stored; return how many rows of each kind those were.

        Raises `RecordBusyError` when somebody works on it, or it is connected again:
        what was deleted by then stays so, and the next call goes on. Nothing is deleted
        while the user's events are being removed from Google.
        """
        gone: Counter[str] = Counter()
        for number in range(_TRIES):
            if number:
                time.sleep(_PAUSE_SECONDS)
            self._end_access(owner)
            self._end_jobs(owner)
            for rows in letters_of(self._store, owner):
                gone["dead_letters"] += self._remove_letters(rows)
            self._leave_to_others(owner)
            for part in REMOVED:
                gone[part] += self._remove(part, owner)
            if self._remove_connection(owner):
                return +gone
        message = "more was stored meanwhile, or the user has connected again"
        raise errors.RecordBusyError(message)

    # -- Google -------------------------------------------------------------------

    def _end_access(self, owner: Owner) -> None:
        with self._store.read() as work:
            connection = work.connections.get(owner.connection_id)
        if connection is None or connection.state == ConnectionState.DISCONNECTED:
            return
        _check_leaving(connection)
        self._stop_channels(connection)
        with self._store.begin() as work:
            row = work.connections.locked(connection.id)
            _check_leaving(row)
            is_to_revoke = revoking.forget(work, row)
            work.commit()
        if is_to_revoke:
            self.is_grant_left = not revoking.revoke(self._remotes, connection)

    def _stop_channels(self, connection: tables.Connection) -> None:
        """Stop what notifies us while we still can; else it ends by itself."""
        sub = connection.google_sub or ""
        with self._store.read() as work:
            channels = [
                channel
                for calendar in work.calendars.of_account(connection.id, sub)
                for channel in work.channels.open_of(calendar.id)
            ]
        try:
            for channel in channels:
                if channel.resource_id is not None:
                    google = self._remotes.google(connection)
                    google.stop_channel(channel.id, channel.resource_id)
        except errors.SyncError as error:
            log.info("Could not stop a channel: %s", error)

    # -- the store ----------------------------------------------------------------

    def _end_jobs(self, owner: Owner) -> None:
        """End what will never be complete: nobody works for the user any more."""
        with self._store.begin() as work:
            for job in work.jobs.running_of_each(owner.connection_id):
                work.jobs.fail(job.id, now=self._clock.now())
            work.commit()

    def _leave_to_others(self, owner: Owner) -> None:
        """Have another user's copy lead each meeting that the other comes to."""
        with self._store.read() as work:
            ids = work.belongings.shared_links(owner)
        for link_id in ids:
            with self._store.read() as work:
                link = work.links.get(link_id)
            if link is None:
                continue
            names = holding.of_link(link)
            with holding.held(self._store, names) as is_held:
                if not (is_held and self._leave(owner, link_id, names)):
                    message = "a worker has one of the user's meetings in hand"
                    raise errors.RecordBusyError(message)

    def _leave(self, owner: Owner, link_id: int, names: frozenset[str]) -> bool:
        """Leave a meeting; False if it got other names before it was held."""
        with self._store.begin() as work:
            link = work.links.get(link_id)
            if link is None or not _leads(work, owner, link):
                return True
            if holding.of_link(link) != names:
                return False
            heir = handover.next_copy(work, link, _CONNECTED)
            if heir is not None:
                handover.lead_by(link, heir)
                # What we made for the one is, for the other, an event like any other:
                # it must not go when its task leaves the scope.
                link.origin = model.Side.GOOGLE
                if link.held_deletion_id is None:
                    handover.leave_to_timer(link, self._clock.now())
                else:
                    _pass_on_hold(work, link, heir)
                work.commit()
        return True

    def _remove(self, part: str, owner: Owner) -> int:
        removed = 0
        while True:
            with self._store.begin() as work:
                count = work.belongings.remove_some(part, owner, limit=AT_ONCE)
                work.commit()
            removed += count
            if count < AT_ONCE:
                return removed

    def _remove_letters(self, rows: Sequence[tables.DeadLetter]) -> int:
        with self._store.begin() as work:
            removed = work.dead_letters.remove([row.id for row in rows])
            work.commit()
        return removed

    def _remove_connection(self, owner: Owner) -> bool:
        with self._store.begin() as work:
            is_gone = work.belongings.remove_connection(owner)
            search = work.searches.get(owner.organization_id)
            if search is not None and owner.crm_user_id in search.unread:
                search.unread = [u for u in search.unread if u != owner.crm_user_id]
            work.commit()
        return is_gone


def _check_leaving(connection: tables.Connection) -> None:
    if connection.state == ConnectionState.PAUSED and connection.problem is None:
        message = (
            "the events that were made for the user are being removed from Google; "
            "wait until the user is disconnected"
        )
        raise errors.RecordBusyError(message)


def _leads(work: UnitOfWork, owner: Owner, link: tables.Link) -> bool:
    calendar = work.calendars.get(link.calendar_id)
    return calendar is None or calendar.connection_id == owner.connection_id


def _pass_on_hold(work: UnitOfWork, link: tables.Link, heir: tables.Copy) -> None:
    """Have an admin's decision on a deletion be one on the heir's records as well."""
    held = work.held_deletions.by_id(link.held_deletion_id)
    to = work.calendars.by_id(heir.calendar_id).connection_id
    link.held_deletion_id = work.held_deletions.passed_on(held, to).id


def letters_of(store: Store, owner: Owner) -> Iterator[Sequence[tables.DeadLetter]]:
    """Yield the dead letters that are about a user, some at a time."""
    cursor, is_more = None, True
    while is_more:
        with store.read() as work:
            page = work.dead_letters.page(
                owner.organization_id, limit=AT_ONCE, cursor=cursor
            )
            found = [row for row in page.rows if _is_about(work, owner, row)]
        yield found
        cursor = page.next_cursor
        is_more = cursor is not None


def _is_about(work: UnitOfWork, owner: Owner, row: tables.DeadLetter) -> bool:
    try:
        message = messages.decode(row.message.encode())
    except errors.MessageDecodeError:
        return False
    match message.subject:
        case (
            messages.TaskChanged(owner_id=owner.crm_user_id)
            | messages.InvitationDue(crm_user_id=owner.crm_user_id)
        ):
            return True
        case _:
            found = subjects.about(work, message).connection_id
            return found is not None and found == owner.connection_id
