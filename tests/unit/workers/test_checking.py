"""Whether a CRM lets us in is found out for the page that sets it up."""

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import CrmState
from shared.domain import errors, messages
from shared.domain.messages import Queue, Trigger
from tests.unit.workers.world import World


def check(world: World) -> tables.Organization:
    """Let a check run; return what is stored of the organization then."""
    due = messages.CheckDue(organization_id=world.organization.id)
    world.queue(Queue.RECORDS, due, Trigger.MANUAL)
    world.settle()
    with world.store.read() as work:
        return work.organizations.by_id(world.organization.id)


def test_a_crm_that_answers_is_verified_and_its_users_are_known(world: World) -> None:
    row = check(world)

    assert (row.crm_state, row.crm_checked_at) == (CrmState.VERIFIED, world.clock.now())
    with world.store.read() as work:
        assert work.users.count_of(row.id) == len(world.crm_side.users)


def test_users_that_were_read_just_now_prove_nothing(world: World) -> None:
    check(world)
    world.crm_side.fail_next(errors.RemoteAuthError(), on="list_users")

    assert check(world).crm_state == CrmState.KEY_REFUSED


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (errors.RemoteAuthError(), CrmState.KEY_REFUSED),
        (errors.RemoteRejectedError(), CrmState.FORBIDDEN),
        (errors.RecordNotFoundError(), CrmState.NOT_FOUND),
        (errors.RemoteUnavailableError(), CrmState.UNREACHABLE),
        (errors.RateLimitError(), CrmState.UNREACHABLE),
    ],
)
def test_what_is_wrong_is_told_apart_and_not_tried_again(
    world: World, error: errors.SyncError, state: CrmState
) -> None:
    world.crm_side.fail_next(error, on="list_users")

    row = check(world)

    assert (row.crm_state, row.crm_checked_at) == (state, world.clock.now())
    assert world.crm_side.calls.count("list_users") == 1
    assert world.dead_letters() == []


def test_an_outcome_for_a_key_that_was_changed_meanwhile_is_not_stored(
    world: World,
) -> None:
    def change() -> None:
        with world.store.begin() as work:
            row = work.organizations.by_id(world.organization.id)
            row.crm_api_key = "newer"
            work.commit()

    world.crm_side.before_next("list_users", change)

    assert check(world).crm_state == CrmState.UNCHECKED
