"""Queries on connections."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, exists, func, or_, select, update

from shared.adapters.store.repositories.repository import Page, Repository, of
from shared.adapters.store.states import ConnectionState, JobState
from shared.adapters.store.tables import Calendar, Connection, CrmUser, Job
from shared.domain.access import Problem

_ONE_SECOND = timedelta(seconds=1)
_IS_ACTIVE = Connection.state == ConnectionState.ACTIVE
_IS_PAUSED = and_(
    Connection.state == ConnectionState.PAUSED,
    Connection.problem.is_not(None),
    Connection.problem != Problem.NOT_STARTED,
)
"""By Google; one without a problem, or not started, waits for somebody's wish."""


_NOTE_SYNC = (
    update(Connection)
    .where(
        Connection.id == bindparam("connection_id"),
        or_(
            Connection.last_sync_at.is_(None),
            Connection.last_sync_at < bindparam("before"),
        ),
    )
    .values(last_sync_at=bindparam("at"))
    .execution_options(synchronize_session=False)
)


class Connections(Repository[Connection]):
    """Queries on connections."""

    table = Connection

    def of_user(self, organization_id: int, crm_user_id: str) -> Connection | None:
        """Return the connection of a CRM user, whatever its state."""
        return self._one(
            select(Connection).where(
                Connection.organization_id == organization_id,
                Connection.crm_user_id == crm_user_id,
            )
        )

    def note_sync(self, connection_id: int, at: datetime) -> None:
        """Note when something was last synced through a connection, to the second.

        All that is synced at once would otherwise wait for this row.
        """
        before = at - _ONE_SECOND
        self._changed(_NOTE_SYNC, connection_id=connection_id, at=at, before=before)

    def of_google_address(
        self, organization_id: int, address: str
    ) -> Connection | None:
        """Return the active connection of a Google account; `address` in lower case.

        Two CRM users may have connected the same account: the first one counts.
        """
        return self._first(
            select(Connection)
            .where(
                Connection.organization_id == organization_id,
                Connection.google_address == address,
                _IS_ACTIVE,
            )
            .order_by(Connection.id)
        )

    def shares_account(self, connection: Connection) -> bool:
        """Tell whether another connection holds tokens of the same Google account."""
        other = select(Connection).where(
            Connection.google_sub == connection.google_sub,
            Connection.id != connection.id,
            Connection.refresh_token.is_not(None),
        )
        return self._first(other) is not None

    def forget_access(self, connection: Connection) -> None:
        """Disconnect: without tokens and scopes; links, calendars and events stay."""
        connection.state = ConnectionState.DISCONNECTED
        connection.problem = None
        connection.refresh_token = None
        connection.access_token = None
        connection.access_token_expires_at = None
        connection.granted_scopes = []

    def let_in(self, connection: Connection, *, at: datetime) -> None:
        """Have a connection synced from now on, whatever kept it from that."""
        connection.state = ConnectionState.ACTIVE
        connection.problem = None
        connection.connected_at = at

    def to_probe(self, organization_id: int, before: datetime) -> Connection | None:
        """Return the connection paused by Google that was probed longest ago.

        None if all of them were probed, or paused, after `before`.
        """
        probed = Connection.probed_at
        is_due = or_(probed.is_(None), probed <= before)
        query = select(Connection).where(
            Connection.organization_id == organization_id, _IS_PAUSED, is_due
        )
        # A null sorts first in one database and last in the other.
        return self._first(query.order_by(probed.is_not(None), probed, Connection.id))

    def claim_probes(
        self, organization_id: int, *, now: datetime, before: datetime
    ) -> Sequence[Connection]:
        """Stamp all connections paused by Google as probed now; return them.

        Those that were probed, or paused, at `before` or later are left out.
        """
        probed = Connection.probed_at
        is_due = or_(probed.is_(None), probed < before)
        claim = (
            update(Connection)
            .where(Connection.organization_id == organization_id, _IS_PAUSED, is_due)
            .values(probed_at=now)
            .returning(Connection)
        )
        return self._session.scalars(claim).all()

    def probe_soon(self, organization_id: int) -> None:
        """Have the connections paused by Google count as never probed."""
        paused = update(Connection).where(
            Connection.organization_id == organization_id, _IS_PAUSED
        )
        self._changed(paused.values(probed_at=None))

    def leaving(self, before: datetime) -> Sequence[Connection]:
        """Return those paused by somebody's wish whose end was last begun by then."""
        query = select(Connection).where(
            Connection.state == ConnectionState.PAUSED,
            Connection.problem.is_(None),
            Connection.probed_at <= before,
        )
        return self._all(query.order_by(Connection.id))

    def count_by_state(self, organization_id: int | None) -> dict[str, int]:
        """Return how many connections an organization has in each state.

        Without an organization, how many there are.
        """
        counted = (
            select(Connection.state, func.count(Connection.id))
            .where(of(Connection.organization_id, organization_id))
            .group_by(Connection.state)
        )
        rows = self._session.execute(counted).all()
        return dict(iter(rows))

    def count_by_problem(self) -> dict[str, int]:
        """Return how many connections of all have each problem."""
        counted = (
            select(Connection.problem, func.count(Connection.id))
            .where(Connection.problem.is_not(None))
            .group_by(Connection.problem)
        )
        return {
            problem: count
            for problem, count in self._session.execute(counted)
            if problem is not None
        }

    def unlisted(
        self, before: datetime, *, failed_before: datetime
    ) -> Sequence[Connection]:
        """Return active connections that no full list followed since they connected.

        Those that connected after `before`, or had any job since, are left in peace;
        so are those with a job since `failed_before` that is not over, or that failed
        in a record. One that failed without was never queued.
        """
        is_listed = exists().where(
            Calendar.connection_id == Connection.id,
            Calendar.google_sub == Connection.google_sub,
            Calendar.is_selected,
            Calendar.sync_token.is_not(None),
            Calendar.listed_at >= Connection.connected_at,
        )
        is_new = Job.started_at > before
        is_running = Job.state == JobState.RUNNING
        has_failed = (Job.state == JobState.FAILED) & (Job.errors > 0)
        is_recent = Job.started_at > failed_before
        is_at_it = exists().where(
            Job.connection_id == Connection.id,
            is_new | (is_recent & (is_running | has_failed)),
        )
        query = select(Connection).where(
            _IS_ACTIVE, Connection.connected_at <= before, ~is_listed, ~is_at_it
        )
        return self._all(query.order_by(Connection.id))

    def locked(self, connection_id: int) -> Connection:
        """Return a connection as it is now; others wait to change it meanwhile."""
        return self._locked(connection_id)

    def active_of(self, organization_id: int) -> Sequence[Connection]:
        """Return the active connections of an organization."""
        mine = Connection.organization_id == organization_id
        query = select(Connection).where(mine, _IS_ACTIVE)
        return self._all(query.order_by(Connection.id))

    def all_of(self, organization_id: int) -> Sequence[Connection]:
        """Return the connections of an organization, whatever their state."""
        query = select(Connection).where(Connection.organization_id == organization_id)
        return self._all(query.order_by(Connection.id))

    def of_anybody_like(
        self, organization_id: int, text: str, *, limit: int = 100
    ) -> Sequence[Connection]:
        """Return the connections of users whose id, name or address has this text."""
        is_theirs = (CrmUser.organization_id == Connection.organization_id) & (
            CrmUser.user_id == Connection.crm_user_id
        )
        found = or_(
            Connection.crm_user_id == text,
            Connection.google_address.icontains(text, autoescape=True),
            CrmUser.name.icontains(text, autoescape=True),
            CrmUser.email.icontains(text, autoescape=True),
        )
        query = (
            select(Connection)
            .outerjoin(CrmUser, is_theirs)
            .where(Connection.organization_id == organization_id, found)
        )
        return self._all(query.order_by(Connection.id).limit(limit))

    def among(
        self, organization_id: int, connection_ids: Collection[int]
    ) -> Sequence[Connection]:
        """Return the organization's connections with one of these ids."""
        mine = Connection.organization_id == organization_id
        query = select(Connection).where(mine, Connection.id.in_(connection_ids))
        return self._all(query)

    def all_active(self) -> Sequence[Connection]:
        """Return the active connections of all organizations."""
        query = select(Connection).where(_IS_ACTIVE)
        return self._all(query.order_by(Connection.id))

    def page(
        self,
        organization_id: int,
        *,
        crm_user_id: str | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Connection]:
        """Return connections of the organization, or of one user, newest first."""
        query = select(Connection).where(Connection.organization_id == organization_id)
        if crm_user_id is not None:
            query = query.where(Connection.crm_user_id == crm_user_id)
        return self._newest_first(query, limit=limit, cursor=cursor)
