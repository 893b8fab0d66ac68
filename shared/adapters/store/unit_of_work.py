"""The unit of work: one session, its repositories, and an explicit commit."""

from sqlalchemy.orm import Session

from shared.adapters.store.repositories import (
    activity,
    belongings,
    budgets,
    calendars,
    channels,
    conflicts,
    connections,
    copies,
    dead_letters,
    held_deletions,
    job_items,
    jobs,
    links,
    organizations,
    orphans,
    previews,
    roster,
    single_use,
    tokens,
    users,
)


class UnitOfWork:
    """What is done with the database in one go; rolled back unless committed.

    Each attribute has the queries on one table, or on a view of several. Rows that were
    changed are written by `commit`, and stay readable afterwards.
    """

    def __init__(self, session: Session) -> None:
        """Take the session that `Store.begin` opened."""
        self._session = session
        self.organizations = organizations.Organizations(session)
        self.users = users.Users(session)
        self.roster = roster.Roster(session)
        self.connections = connections.Connections(session)
        self.calendars = calendars.Calendars(session)
        self.channels = channels.Channels(session)
        self.links = links.Links(session)
        self.copies = copies.Copies(session)
        self.conflicts = conflicts.Conflicts(session)
        self.held_deletions = held_deletions.HeldDeletions(session)
        self.orphans = orphans.Orphans(session)
        self.searches = orphans.Searches(session)
        self.budgets = budgets.Budgets(session)
        self.jobs = jobs.Jobs(session)
        self.items = job_items.JobItems(session)
        self.activity = activity.Activity(session)
        self.previews = previews.Previews(session)
        self.dead_letters = dead_letters.DeadLetters(session)
        self.tokens = tokens.Tokens(session)
        self.belongings = belongings.Belongings(session)
        self.login_codes = single_use.LoginCodes(session)
        self.oauth_states = single_use.OAuthStates(session)

    def commit(self) -> None:
        """Make permanent what was done so far."""
        self._session.commit()
