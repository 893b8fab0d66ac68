"""Invitations to connect, as the CRM shows them."""

from shared.domain import messages
from shared.domain.messages import Queue, Trigger
from tests.unit.workers.machinery import PUBLIC_URL
from tests.unit.workers.world import World


def invite(world: World, name: str) -> None:
    """Let the receiver's message arrive."""
    due = messages.InvitationDue(
        organization_id=world.organization.id, crm_user_id=name
    )
    world.queue(Queue.RECORDS, due, Trigger.MANUAL)
    world.settle()


def test_an_invitation_leads_to_the_users_page(world: World) -> None:
    world.change_connection(state="disconnected")

    invite(world, "ann")

    told = world.crm_side.notifications["ann", "invitation:ann"]
    assert told.title == "Connect your Google Calendar"
    assert told.link == f"{PUBLIC_URL}/me"


def test_a_second_invitation_replaces_the_first(world: World) -> None:
    world.change_connection(state="needs_reauthorization")

    invite(world, "ann")
    invite(world, "ann")

    assert len(world.crm_side.notifications) == 1


def test_whoever_is_connected_by_now_is_not_invited(world: World) -> None:
    invite(world, "ann")

    assert world.crm_side.notifications == {}


def test_whoever_has_left_the_crm_is_not_invited(world: World) -> None:
    invite(world, "nobody")

    assert world.crm_side.notifications == {}
    assert world.dead_letters() == []
