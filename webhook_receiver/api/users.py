"""The people of an organization: who is connected, and who is to be."""

from datetime import datetime, timedelta
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import UnitOfWork
from shared.adapters.store.repositories.roster import Seat, Wanted
from shared.adapters.store.states import ConnectionState
from shared.domain import messages
from shared.domain.messages import Trigger
from webhook_receiver import identity, looks, oauth, problems
from webhook_receiver.api import connection_shapes, routes, shapes
from webhook_receiver.services import Services

ERRORS_WITHIN = timedelta(days=1)

_ATTENTION: Literal["attention"] = "attention"

State = Literal[
    "attention",
    "active",
    "needs_reauthorization",
    "missing_scopes",
    "calendar_missing",
    "paused",
    "disconnected",
]


class UserQuery(shapes.PageQuery):
    """Which people; the cursor counts those of the pages before."""

    search: (
        Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")]
        | SkipJsonSchema[None]
    ) = shapes.left_out()
    state: State | SkipJsonSchema[None] = Field(
        default=None,
        json_schema_extra=shapes.without_default,
        description=(
            "`attention`: whoever has to do something before they are synced again. "
            "`disconnected`: those who never were connected, too."
        ),
    )


class UserPath(shapes.Path):
    """Which user of the CRM."""

    user_id: shapes.Text


class UserDocument(shapes.Document):
    """A user of the CRM; without connection, they never connected.

    `is_active` says whether the CRM lists them as active; `email` is null when it does
    not list them at all any more. `errors` are records that failed within a day.
    """

    crm_user_id: str
    name: str | None
    email: str | None
    is_active: bool
    connection: connection_shapes.ConnectionDocument | None
    calendar: str | None
    errors: int


class UserPage(shapes.Document):
    """A page of people, those first who have to do something."""

    items: list[UserDocument]
    total: int
    next_cursor: str | None


class InvitationDocument(shapes.Document):
    """An invitation that is on its way to a user, as a notification of the CRM."""

    crm_user_id: str
    invited_at: datetime


class Users:
    """The calls about people."""

    def __init__(self, services: Services) -> None:
        """Take the store, and the broker that workers listen to."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/users",
            self.list_users,
            roles=routes.ADMIN,
            answer=UserPage,
        )
        api.add(
            HTTPMethod.POST,
            "/users/<user_id>/invite",
            self.invite_user,
            roles=routes.ADMIN,
            answer=InvitationDocument,
            status=HTTPStatus.ACCEPTED,
            refuses=[HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT],
        )

    def list_users(self, query: UserQuery) -> UserPage:
        """Return the users of the CRM with their connections."""
        organization_id = identity.caller().organization_id
        skip = int(query.cursor or 0)
        wanted = _wanted(query)
        with self._store.read() as work:
            seats = work.roster.page(
                organization_id, wanted, limit=query.limit + 1, skip=skip
            )
            items = self._documents(work, organization_id, seats[: query.limit])
            total = work.roster.count(organization_id, wanted)
        more = str(skip + query.limit) if len(seats) > query.limit else None
        return UserPage(items=items, total=total, next_cursor=more)

    def invite_user(self, path: UserPath) -> InvitationDocument:
        """Have the CRM tell a user how to connect; a second invitation replaces it."""
        organization_id = identity.caller().organization_id
        with self._store.read() as work:
            _require_may_connect(work, organization_id, path.user_id)
        due = messages.InvitationDue(
            organization_id=organization_id, crm_user_id=path.user_id
        )
        self._broker.publish(*looks.messages_for([due], Trigger.MANUAL, self._clock))
        return InvitationDocument(
            crm_user_id=path.user_id, invited_at=self._clock.now()
        )

    def _documents(
        self, work: UnitOfWork, organization_id: int, seats: list[Seat]
    ) -> list[UserDocument]:
        ids = [seat.connection_id for seat in seats if seat.connection_id is not None]
        rows = work.connections.among(organization_id, ids)
        shown = {each.id: each for each in connection_shapes.of_connections(work, rows)}
        calendars = work.calendars.selected_among(ids)
        since = self._clock.now() - ERRORS_WITHIN
        failed = work.activity.errors_among(ids, since=since)
        found = []
        for seat in seats:
            own = seat.connection_id or 0
            calendar = calendars.get(own)
            document = UserDocument(
                crm_user_id=seat.crm_user_id,
                name=seat.name,
                email=seat.email,
                is_active=seat.is_active,
                connection=shown.get(own),
                calendar=calendar.summary if calendar else None,
                errors=failed.get(own, 0),
            )
            found.append(document)
        return found


def _wanted(query: UserQuery) -> Wanted:
    search = (query.search or "").strip() or None
    if query.state == _ATTENTION:
        return Wanted(search=search, needs_attention=True)
    state = ConnectionState(query.state) if query.state else None
    return Wanted(search=search, state=state)


def _require_may_connect(work: UnitOfWork, organization_id: int, user_id: str) -> None:
    user = work.users.of(organization_id, user_id)
    if user is None:
        raise problems.not_found()
    if not user.active:
        detail = "This user of the CRM is not active, and cannot be invited."
        raise problems.ProblemError(HTTPStatus.CONFLICT, detail)
    if not work.organizations.by_id(organization_id).google_client_id:
        raise problems.ProblemError(HTTPStatus.CONFLICT, oauth.APP_MISSING)
    connection = work.connections.of_user(organization_id, user_id)
    if connection is not None and connection.state == ConnectionState.ACTIVE:
        detail = "This user is connected already."
        raise problems.ProblemError(HTTPStatus.CONFLICT, detail)
