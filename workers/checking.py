"""Finds out whether an organization's CRM lets us in, for the page that sets it up."""

import logging

from shared.adapters.store import tables
from shared.adapters.store.states import CrmState
from shared.domain import errors, messages
from workers import people
from workers.services import Services

log = logging.getLogger(__name__)


class Checking:
    """Handles the messages that ask whether a CRM lets us in."""

    def __init__(self, services: Services) -> None:
        """Take the store, and the CRM that is asked."""
        self._services = services
        self._store = services.store

    def organization(self, subject: messages.CheckDue) -> None:
        """Read the users of an organization and store how that went.

        Nothing is raised, and so nothing repeated: somebody waits for the outcome.
        """
        with self._store.read() as work:
            asked = work.organizations.by_id(subject.organization_id)
        state = self._ask(asked)
        with self._store.begin() as work:
            row = work.organizations.by_id(asked.id)
            if _crm_of(row) == _crm_of(asked):  # else another check is on its way
                row.crm_state = state
                row.crm_checked_at = self._services.clock.now()
            work.commit()

    def _ask(self, organization: tables.Organization) -> CrmState:
        try:
            people.read(self._services, organization)
        except errors.RemoteAuthError:
            return CrmState.KEY_REFUSED
        except errors.RecordNotFoundError:
            return CrmState.NOT_FOUND
        except errors.RemoteRejectedError:
            return CrmState.FORBIDDEN
        except (errors.RemoteUnavailableError, errors.RateLimitError) as error:
            log.warning("The CRM of %s cannot be used: %s", organization.name, error)
            return CrmState.UNREACHABLE
        return CrmState.VERIFIED


def _crm_of(row: tables.Organization) -> tuple[str, str]:
    return row.crm_url, row.crm_api_key
