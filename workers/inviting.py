"""Tells users of the CRM, in the CRM, how to connect their calendars."""

import logging

from shared.adapters.store.states import ConnectionState
from shared.domain import messages, ports
from workers.services import Services

log = logging.getLogger(__name__)

TITLE = "Connect your Google Calendar"
BODY = (
    "An administrator invites you to have your meetings in the CRM and in Google "
    "Calendar kept in step. Open the page, connect your Google account, and look at "
    "what the first sync would do before you start it."
)


class Inviting:
    """Handles the messages that say that somebody is invited to connect."""

    def __init__(self, services: Services) -> None:
        """Take the store, and the CRM that shows the invitation."""
        self._store = services.store
        self._remotes = services.remotes
        self._public_url = services.public_url

    def user(self, subject: messages.InvitationDue) -> None:
        """Invite a user, unless they are connected by now, or have left the CRM."""
        with self._store.read() as work:
            organization = work.organizations.by_id(subject.organization_id)
            user = work.users.of(organization.id, subject.crm_user_id)
            connection = work.connections.of_user(organization.id, subject.crm_user_id)
        is_on = connection is not None and connection.state == ConnectionState.ACTIVE
        if is_on or user is None or not user.active:
            return
        invitation = ports.Notification(
            title=TITLE,
            body=BODY,
            link=f"{self._public_url}/me",
            key=f"invitation:{subject.crm_user_id}",
        )
        self._remotes.crm(organization).notify(subject.crm_user_id, invitation)
        log.info("Invited the user %s to connect", subject.crm_user_id)
