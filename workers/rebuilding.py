"""Restore the links that the table has lost: read both sides, and make them anew."""

from dataclasses import dataclass, field

from shared.adapters.store import tables
from shared.domain import errors
from workers import census, people
from workers.census import Unread
from workers.claims import Survey
from workers.relinking import Linker, Made
from workers.services import Services


@dataclass(slots=True, kw_only=True)
class Report:
    """What became of a rebuild; `kept` links were there.

    Those of them that were older than their events are `renewed`.
    """

    kept: int = 0
    made: list[Made] = field(default_factory=list)
    renewed: list[Made] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def rebuild(services: Services, organization: tables.Organization) -> Report:
    """Add the links of an organization that are missing, and renew outdated ones.

    Outdated is a link of a restored database whose task got another event since; all
    others are left alone. A connection whose calendar cannot be read in full is
    reported, the others go on. Raises what the CRM's list raises, and `RecordBusyError`
    when workers keep linking the same records meanwhile: what was made by then stays.
    """
    people.refresh(services, organization)
    documents = census.tasks(services, organization)
    with services.store.begin() as work:
        linked = work.links.task_ids(organization.id)
        work.conflicts.resolve_lost(organization.id, now=services.clock.now())
        work.commit()
    survey = Survey(services, organization, documents, linked)
    report = Report(kept=len(linked))
    for connection, calendar in census.homes(services, organization):
        try:
            survey.read(connection, calendar)
        except errors.SyncError as error:
            unread = Unread(crm_user_id=connection.crm_user_id, error=str(error))
            report.unread.append(unread)
    linker = Linker(services, organization, documents)
    for find in (survey.claims, survey.likely_claims):
        for batch in census.batches(find()):
            made = linker.link(batch)
            report.made += [each for each in made if not each.is_renewed]
            report.renewed += [each for each in made if each.is_renewed]
            survey.linked |= {each.task_id for each in made}
    return report
