"""The CRM's users, read now and then: whose tasks, and whose addresses, are whose."""

from datetime import timedelta

from shared.adapters.store import tables
from workers.services import Services

FRESH = timedelta(minutes=1)
"""Within this time the users are not read again."""


def refresh(services: Services, organization: tables.Organization) -> None:
    """Read the users of an organization unless they were read just now."""
    now = services.clock.now()
    read_at = organization.users_read_at
    if read_at is not None and read_at > now - FRESH:
        return
    read(services, organization)


def read(services: Services, organization: tables.Organization) -> None:
    """Read the users of an organization, however lately they were read."""
    users = services.remotes.crm(organization).list_users()
    with services.store.begin() as work:
        work.users.replace_all(organization.id, users)
        work.organizations.by_id(organization.id).users_read_at = services.clock.now()
        work.commit()
