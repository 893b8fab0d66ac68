"""What a form of a page asks of the API: done, or refused in words on the page."""

from collections.abc import Callable
from http import HTTPStatus

from flask import flash

from shared.domain import errors
from webhook_receiver import problems
from webhook_receiver.api import connections, users
from webhook_receiver.api.connection_shapes import (
    ConnectionPath,
    DisconnectQuery,
    RemovalDocument,
)
from webhook_receiver.pages import confirming
from webhook_receiver.pages.confirming import Question, counted
from webhook_receiver.services import Services

_TOLD = {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
UNAVAILABLE = "A part that is needed does not answer. Try again in a minute."


def attempt(act: Callable[[], object], *, done: str) -> None:
    """Do something and say so on the next page, or say there why it is refused."""
    try:
        act()
    except problems.ProblemError as refusal:
        if refusal.code not in _TOLD:
            raise
        said = [*refusal.fields.values(), refusal.description or ""]
        flash(said[0], "danger")
    except errors.BrokerConnectionError:
        flash(UNAVAILABLE, "danger")
    else:
        flash(done, "success")


class Acts:
    """What people do to their own connection, and admins to everybody's."""

    def __init__(self, services: Services) -> None:
        """Take the connections."""
        self._connections = connections.Connections(services)
        self._users = users.Users(services)

    def sync(self, connection_id: int) -> None:
        """Bring a connection in step now, or begin its first sync."""
        path = ConnectionPath(connection_id=connection_id)
        attempt(
            lambda: self._connections.sync_now(path),
            done="The sync has begun. It goes on if you leave this page.",
        )

    def invite(self, user_id: str, name: str) -> None:
        """Have the CRM tell a user how to connect."""
        attempt(
            lambda: self._users.invite_user(users.UserPath(user_id=user_id)),
            done=f"{name} gets an invitation in the CRM in a moment.",
        )

    def ask_to_disconnect(
        self, connection_id: int, query: DisconnectQuery, *, whose: str, back: str
    ) -> str:
        """Return the page that says what disconnecting does, with its count."""
        path = ConnectionPath(connection_id=connection_id)
        count = self._connections.preview_removal(path)
        is_removing = query.events == "remove"
        fate = _fate_of_some(count) if is_removing else _fate_of_all(count)
        made = counted(count.removes, "event")
        return confirming.ask(
            Question(
                title=f"Disconnect {whose}?",
                text=f"{fate} Tasks in the CRM stay. Connecting the same account again "
                "takes everything up where it was.",
                button=f"Disconnect and remove {made}" if is_removing else "Disconnect",
                back=back,
                fields=[("events", query.events)],
            )
        )

    def disconnect(self, connection_id: int, query: DisconnectQuery) -> None:
        """Disconnect a user; events that are to go are removed by a worker."""
        path = ConnectionPath(connection_id=connection_id)
        is_removing = query.events == "remove"
        attempt(
            lambda: self._connections.disconnect(path, query),
            done=(
                "The events are being removed. The account is disconnected after that."
                if is_removing
                else "The Google account is disconnected."
            ),
        )


def _fate_of_some(count: RemovalDocument) -> str:
    made = f"{counted(count.removes, 'event')} that came from the CRM"
    kept = f"{counted(count.stays, 'event')} made in Google"
    are = "is" if count.removes == 1 else "are"
    stay = "stays" if count.stays == 1 else "stay"
    return f"{made} {are} removed, without mail to guests. {kept} {stay}."


def _fate_of_all(count: RemovalDocument) -> str:
    number = count.removes + count.stays
    if number == 1:
        return "1 event stays on the calendar as it is, and is not synced any more."
    return f"{number} events stay as they are, and are not synced any more."
