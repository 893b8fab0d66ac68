"""Which calendars an account reaches, and with which role."""

from deploy.demo.google import errors, model, state


def reach(
    held: state.State, account: str, calendar_id: str
) -> tuple[model.Calendar, model.Role]:
    """Return a calendar and the account's role on it, or raise 404.

    `primary` is the account's own main calendar (fact 45).
    """
    actual = account if calendar_id == "primary" else calendar_id
    calendar = held.calendars.get(actual)
    membership = held.memberships.get((account, actual))
    if calendar is None or membership is None or membership.is_deleted:
        raise errors.not_found()
    return calendar, model.Role(membership.role)


def reach_to_write(
    held: state.State, account: str, calendar_id: str
) -> tuple[model.Calendar, model.Role]:
    """Return a calendar and the account's role, or raise 404, or 403 for a reader."""
    calendar, role = reach(held, account, calendar_id)
    if not role.is_writer:
        raise errors.required_access_level()
    return calendar, role
