"""Connections: which Google account a CRM user's meetings are synced with."""

from http import HTTPMethod, HTTPStatus

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import scope
from webhook_receiver import choosing, consents, disconnecting, identity, problems
from webhook_receiver.api import connection_shapes, google_app, jobs, routes, shapes
from webhook_receiver.services import Services
from webhook_receiver.syncs import NotActiveError, Syncs

_ONE = "/connections/<int:connection_id>"

_CHOOSING = {ConnectionState.ACTIVE, ConnectionState.CALENDAR_MISSING}


class Connections:
    """The calls about connections."""

    def __init__(self, services: Services) -> None:
        """Take the store, Google's consent page, and what starts syncs."""
        self._services = services
        self._store = services.store
        self._consents = consents.Consents(services)
        self._syncs = Syncs(services)
        self._clock = services.clock

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        own, get, post = routes.OWN, HTTPMethod.GET, HTTPMethod.POST
        missing, conflict = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
        api.add(
            get,
            "/connections",
            self.list_connections,
            roles=own,
            answer=connection_shapes.ConnectionPage,
        )
        api.add(
            post,
            "/connections",
            self.connect,
            roles=own,
            answer=google_app.AuthorizationDocument,
            refuses=[missing, conflict],
        )
        api.add(
            get,
            _ONE,
            self.show_connection,
            roles=own,
            answer=connection_shapes.ConnectionDocument,
            refuses=[missing],
        )
        api.add(
            HTTPMethod.DELETE,
            _ONE,
            self.disconnect,
            roles=own,
            answer=None,
            status=HTTPStatus.NO_CONTENT,
            refuses=[missing, conflict],
        )
        api.add(
            get,
            f"{_ONE}/removal",
            self.preview_removal,
            roles=own,
            answer=connection_shapes.RemovalDocument,
            refuses=[missing],
        )
        api.add(
            HTTPMethod.PATCH,
            _ONE,
            self.choose_calendar,
            roles=own,
            answer=connection_shapes.ConnectionDocument,
            refuses=[missing, conflict],
        )
        api.add(
            get,
            f"{_ONE}/move",
            self.preview_move,
            roles=own,
            answer=connection_shapes.MoveDocument,
            refuses=[missing],
        )
        api.add(
            get,
            f"{_ONE}/calendars",
            self.list_calendars,
            roles=own,
            answer=connection_shapes.CalendarPage,
            refuses=[missing],
        )
        api.add(
            post,
            f"{_ONE}/sync",
            self.sync_now,
            roles=own,
            answer=jobs.JobDocument,
            status=HTTPStatus.ACCEPTED,
            refuses=[missing, conflict],
        )

    def list_connections(
        self, query: shapes.PageQuery
    ) -> connection_shapes.ConnectionPage:
        """Return the connections of the organization, or the user's own."""
        caller = identity.caller()
        with self._store.read() as work:
            page = work.connections.page(
                caller.organization_id,
                crm_user_id=(caller.crm_user_id or "") if caller.is_confined else None,
                limit=query.limit,
                cursor=query.cursor,
            )
            items = connection_shapes.of_connections(work, page.rows)
        return connection_shapes.ConnectionPage(
            items=items, next_cursor=page.next_cursor
        )

    def show_connection(
        self, path: connection_shapes.ConnectionPath
    ) -> connection_shapes.ConnectionDocument:
        """Return one connection."""
        with self._store.read() as work:
            (document,) = connection_shapes.of_connections(
                work, [visible(work, path.connection_id)]
            )
        return document

    def connect(
        self, body: connection_shapes.ConnectBody
    ) -> google_app.AuthorizationDocument:
        """Begin the consent that connects a user, or connects one again."""
        caller = identity.caller()
        if not caller.may_see(caller.organization_id, body.crm_user_id):
            raise problems.not_found()
        with self._store.read() as work:
            organization = work.organizations.by_id(caller.organization_id)
            user = work.users.of(organization.id, body.crm_user_id)
        if user is None or not user.active:
            raise problems.invalid({"crm_user_id": _why_no_user(organization, user)})
        return google_app.authorization(
            self._consents,
            organization.id,
            user.user_id,
            waits_for_start=body.waits_for_start,
        )

    def disconnect(
        self,
        path: connection_shapes.ConnectionPath,
        query: connection_shapes.DisconnectQuery,
    ) -> None:
        """Forget the access to the Google account; tasks stay, and events as asked.

        Events are removed by a worker: until then the connection is paused.
        """
        with self._store.read() as work:
            connection = visible(work, path.connection_id)
        if query.events == "keep":
            disconnecting.disconnect(self._services, path.connection_id)
        elif connection.state == ConnectionState.ACTIVE:
            disconnecting.remove_and_disconnect(self._services, path.connection_id)
        elif connection.state != ConnectionState.PAUSED or connection.problem:
            detail = (
                "Events can be removed only while Google lets us in. Connect again "
                f"first, or keep the events: the connection is {connection.state}."
            )
            raise problems.ProblemError(HTTPStatus.CONFLICT, detail)

    def choose_calendar(
        self,
        path: connection_shapes.ConnectionPath,
        body: connection_shapes.ConnectionBody,
    ) -> connection_shapes.ConnectionDocument:
        """Sync another calendar; the events that we made move there, without mail."""
        with self._store.read() as work:
            connection = visible(work, path.connection_id)
            if connection.state not in _CHOOSING:
                detail = f"The connection is not active: {connection.state}."
                raise problems.ProblemError(HTTPStatus.CONFLICT, detail)
            calendar = _writable(work, connection, body.calendar_id)
        choosing.choose(self._services, connection.id, calendar)
        return self.show_connection(path)

    def preview_move(
        self,
        path: connection_shapes.ConnectionPath,
        query: connection_shapes.CalendarQuery,
    ) -> connection_shapes.MoveDocument:
        """Count what choosing another calendar would move; nothing is changed."""
        with self._store.read() as work:
            connection = visible(work, path.connection_id)
            chosen = _calendar(work, connection, query.calendar_id)
            if chosen is None or chosen.access_role not in scope.WRITABLE_ROLES:
                raise problems.not_found()
            made_here, made_there = choosing.count_events(
                work, connection, beside=chosen.id
            )
        return connection_shapes.MoveDocument(moves=made_here, stays=made_there)

    def preview_removal(
        self, path: connection_shapes.ConnectionPath
    ) -> connection_shapes.RemovalDocument:
        """Count what disconnecting with `events=remove` would remove."""
        with self._store.read() as work:
            connection = visible(work, path.connection_id)
            made_here, made_there = choosing.count_events(work, connection)
        return connection_shapes.RemovalDocument(removes=made_here, stays=made_there)

    def list_calendars(
        self, path: connection_shapes.ConnectionPath
    ) -> connection_shapes.CalendarPage:
        """Return the calendars that the account can write, as last read."""
        with self._store.read() as work:
            connection = visible(work, path.connection_id)
            rows = writable_of(work, connection)
        return connection_shapes.CalendarPage(
            items=[connection_shapes.of_calendar(row) for row in rows],
            next_cursor=None,
        )

    def sync_now(self, path: connection_shapes.ConnectionPath) -> jobs.JobDocument:
        """Bring a connection in step now; one that is about to be stands for this.

        This also starts the first sync of one that waits for its start.
        """
        with self._store.read() as work:
            connection = visible(work, path.connection_id)
        try:
            job = self._syncs.now(connection.id)
        except NotActiveError as error:
            raise problems.ProblemError(HTTPStatus.CONFLICT, str(error)) from None
        return jobs.JobDocument.of(job, self._clock.now())


def visible(work: UnitOfWork, connection_id: int) -> tables.Connection:
    """Return a connection; raises the 404 for one that is not the caller's to see."""
    row = work.connections.get(connection_id)
    if row is None:
        raise problems.not_found()
    if not identity.caller().may_see(row.organization_id, row.crm_user_id):
        raise problems.not_found()
    return row


def writable_of(
    work: UnitOfWork, connection: tables.Connection
) -> list[tables.Calendar]:
    """Return the calendars that the account of a connection can write."""
    sub = connection.google_sub
    rows = work.calendars.of_account(connection.id, sub) if sub else []
    return [row for row in rows if row.access_role in scope.WRITABLE_ROLES]


def _writable(
    work: UnitOfWork, connection: tables.Connection, google_calendar_id: str
) -> tables.Calendar:
    """Return a calendar that the account may write; raises the 422 for any other."""
    row = _calendar(work, connection, google_calendar_id)
    if row is None or row.access_role == scope.NO_ACCESS:
        detail = (
            "the account has no such calendar; GET .../calendars lists those it has"
        )
        raise problems.invalid({"calendar_id": detail})
    if row.access_role not in scope.WRITABLE_ROLES:
        detail = f"the account may not write this calendar (it is {row.access_role})"
        raise problems.invalid({"calendar_id": detail})
    return row


def _calendar(
    work: UnitOfWork, connection: tables.Connection, google_calendar_id: str
) -> tables.Calendar | None:
    sub = connection.google_sub or ""
    return work.calendars.of(connection.id, sub, google_calendar_id)


def _why_no_user(organization: tables.Organization, user: tables.CrmUser | None) -> str:
    if user is not None:
        return "this user of the CRM is not active"
    if organization.users_read_at is None:
        return "the users of the CRM have not been read yet; try again in a minute"
    return "the CRM has no such user"
