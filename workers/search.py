"""Search an organization for orphans and duplicates; nothing is written."""

from dataclasses import dataclass, field

from shared.adapters.store import tables
from shared.domain import errors
from workers import census, twins
from workers.census import Unread
from workers.one_sided import Place
from workers.orphans import Orphan, Repair, Scene, Spot
from workers.services import Services


@dataclass(slots=True, kw_only=True)
class Findings:
    """All that was found, and whose calendars could not be read in full."""

    orphans: list[Orphan] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def find(services: Services, organization: tables.Organization) -> Findings:
    """Compare both sides of an organization; raises what the CRM's list raises.

    A connection whose calendar cannot be read in full is reported, and nothing of it
    counts as gone.
    """
    scene = Scene(services, organization)
    findings = Findings()
    ours: list[Spot] = []
    for connection, calendar in census.homes(services, organization):
        place = Place(scene=scene, connection=connection, calendar=calendar)
        try:
            one_sided, spots = place.examine()
        except errors.SyncError as error:
            unread = Unread(crm_user_id=connection.crm_user_id, error=str(error))
            findings.unread.append(unread)
            continue
        findings.orphans += [*one_sided, *twins.events_alike(scene, spots)]
        ours += [spot for spot in spots if scene.is_ours(spot)]
    findings.orphans += twins.events_of_one_task(scene, ours)
    _add_tasks_alike(scene, findings)
    return findings


def _add_tasks_alike(scene: Scene, findings: Findings) -> None:
    makes = [each for each in findings.orphans if each.repair is Repair.MAKE_EVENT]
    alike = list(twins.tasks_alike(scene, {each.task_id for each in makes}))
    cancelled = {each.task_id for each in alike if each.repair is Repair.CANCEL_TWIN}
    # Whose task goes needs no event.
    needless = [each for each in makes if each.task_id in cancelled]
    kept = [each for each in findings.orphans if each not in needless]
    findings.orphans = [*kept, *alike]
