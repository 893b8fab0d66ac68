"""Guests: `attendees` on both sides, with their answers."""

import pytest

from shared.domain import mapping
from shared.domain.model import Address, Field, Response
from tests.unit.domain.records import (
    ANN,
    BOB,
    CY,
    DIRECTORY,
    EVE,
    FAY,
    attendee,
    event,
    event_body,
    event_patch,
    guest,
    meeting,
    meeting_of,
    meeting_on,
    task,
    task_body,
    task_patch,
)

ATTENDEES = frozenset({Field.ATTENDEES})
ROOM = guest("room@resource.calendar.google.com", "accepted", resource=True)


def emails(rows: list[dict[str, object]]) -> list[object]:
    """Return whom rows name."""
    return [row["email"] for row in rows]


# -- who is a guest ---------------------------------------------------------------


def test_both_sides_read_guests_alike_whatever_their_order_and_spelling() -> None:
    of_task = meeting_of(
        task(attendees=[attendee("Eve@Guest.example"), attendee(" fay@guest.example")])
    )
    of_event = meeting_on(
        event(attendees=[guest("FAY@guest.example"), guest("eve@guest.example")])
    )

    assert of_task.attendees == of_event.attendees == {EVE, FAY}


@pytest.mark.parametrize("address", ["ann@crm.example", "Ann@Google.example"])
def test_the_owner_is_no_guest_under_either_address(address: str) -> None:
    of_task = meeting_of(task(attendees=[attendee(address)]))
    of_event = meeting_on(event(attendees=[guest(address, "accepted")]))

    assert of_task.attendees == of_event.attendees == frozenset()


@pytest.mark.parametrize(
    "row",
    [
        guest("eve@guest.example", organizer=True),
        guest("ann@alias.example", self=True),
        guest("room@resource.calendar.google.com", resource=True),
        {"displayName": "Somebody", "responseStatus": "accepted"},
    ],
    ids=["organizer", "own alias", "room", "without address"],
)
def test_some_rows_of_an_event_are_no_guests(row: dict[str, object]) -> None:
    read = meeting_on(event(attendees=[row, guest("fay@guest.example")]))

    assert read.attendees == {FAY}


def test_the_organizer_is_no_guest_though_the_row_does_not_say_so() -> None:
    organized_by_eve = event(
        organizer={"email": "Eve@guest.example"},
        attendees=[guest("eve@guest.example"), guest("ann@google.example")],
    )

    assert meeting_on(organized_by_eve).attendees == frozenset()


def test_who_is_no_guest_on_the_event_is_none_on_the_task() -> None:
    invited = event(
        organizer={"email": "eve@guest.example"},
        attendees=[ROOM, guest("ann@alias.example", self=True), guest(str(FAY))],
    )
    listed = task(
        attendees=[
            attendee("eve@guest.example"),
            attendee("room@resource.calendar.google.com"),
            attendee("ann@alias.example"),
            attendee("fay@guest.example"),
        ]
    )

    own = mapping.own_addresses(invited, directory=DIRECTORY)

    assert own == {EVE, ROOM["email"], "ann@alias.example"}
    assert meeting_of(listed, own=own) == meeting_on(invited)


def test_an_organizer_of_the_crm_is_known_by_the_crms_address() -> None:
    invited = event(organizer={"email": "bob@google.example"})

    own = mapping.own_addresses(invited, directory=DIRECTORY)

    assert own == {BOB.email}


def test_an_event_that_nobody_organizes_has_no_addresses_of_its_own() -> None:
    bare = event(organizer=None)

    own = mapping.own_addresses(bare, directory=DIRECTORY)

    assert own == frozenset()


# -- two addresses ----------------------------------------------------------------


def test_a_user_has_the_crms_address_in_the_crm_and_googles_in_google() -> None:
    of_event = meeting_on(event(attendees=[guest("Bob@google.example")]))
    of_task = meeting_of(task(attendees=[attendee("bob@crm.example")]))

    assert of_event == of_task == meeting(attendees=frozenset({BOB.email}))
    assert emails(event_body(of_task)["attendees"]) == ["bob@google.example"]
    assert emails(task_body(of_event, event())["attendees"]) == ["bob@crm.example"]


def test_the_crm_may_list_a_user_by_the_google_address() -> None:
    read = meeting_of(task(attendees=[attendee("bob@google.example")]))

    assert read.attendees == {BOB.email}


def test_a_user_without_a_google_account_has_one_address() -> None:
    target = meeting(attendees=frozenset({CY.email}))

    body = event_body(target)

    assert emails(body["attendees"]) == ["cy@crm.example"]
    assert meeting_on(event(**body)).attendees == {CY.email}


def test_a_user_invited_under_both_addresses_is_one_guest() -> None:
    both = event(
        attendees=[
            guest("bob@google.example", "accepted"),
            guest("bob@crm.example", "declined"),
        ]
    )
    turned = event(
        attendees=[
            guest("bob@crm.example", "declined"),
            guest("bob@google.example", "accepted"),
        ]
    )

    assert meeting_on(both).attendees == {BOB.email}
    for read in (both, turned):
        answers = mapping.responses_of_event(read, directory=DIRECTORY)
        assert answers == {BOB.email: Response.ACCEPTED}


# -- to Google --------------------------------------------------------------------


def test_a_new_event_invites_the_guests_by_name() -> None:
    named = task(
        attendees=[
            {"email": "Bob@crm.example", "name": "Bob B.", "response": "accepted"},
            attendee("eve@guest.example"),
            attendee("ann@crm.example"),
        ]
    )

    body = event_body(meeting_of(named), named.attendees)

    assert body["attendees"] == [
        {"email": "bob@google.example", "displayName": "Bob B."},
        {"email": "eve@guest.example"},
    ]


def test_a_new_event_without_guests_has_no_rows() -> None:
    body = event_body(meeting())

    assert "attendees" not in body


def test_rows_that_stay_keep_all_that_google_knows_of_them() -> None:
    eve = guest("Eve@guest.example", "accepted", comment="Late", optional=True)
    own = guest("ann@google.example", "accepted", organizer=True, self=True)
    nameless = {"displayName": "Somebody", "responseStatus": "tentative"}
    invited = event(attendees=[own, ROOM, nameless, eve, guest("fay@guest.example")])

    body = event_patch(
        invited, meeting(attendees=frozenset({EVE, BOB.email})), ATTENDEES
    )

    assert body["attendees"] == [
        own,
        ROOM,
        nameless,
        eve,
        {"email": "bob@google.example"},
    ]


def test_a_guest_that_leaves_leaves_under_every_address() -> None:
    both = event(
        attendees=[guest("bob@google.example"), guest("bob@crm.example"), ROOM]
    )

    body = event_patch(both, meeting(), ATTENDEES)

    assert body["attendees"] == [ROOM]


def test_the_last_guest_leaves_an_empty_list() -> None:
    body = event_patch(
        event(attendees=[guest("eve@guest.example")]), meeting(), ATTENDEES
    )

    assert body == {"attendees": []}


def test_a_row_that_was_read_is_not_shared_with_what_is_sent() -> None:
    invited = event(attendees=[guest("eve@guest.example")])

    body = event_patch(invited, meeting(attendees=frozenset({EVE})), ATTENDEES)
    body["attendees"][0]["responseStatus"] = "declined"

    assert invited.guests[0].row["responseStatus"] == "needsAction"


# -- lists that Google cuts short -------------------------------------------------


def test_a_list_cut_short_uninvites_nobody() -> None:
    cut = event(attendees=[guest("ann@google.example")], attendeesOmitted=True)
    listed = meeting_of(task(attendees=[attendee("eve@guest.example")]))

    read = meeting_on(cut, unlisted=listed.attendees)

    assert mapping.changed_fields(read, listed) == frozenset()


def test_a_list_cut_short_is_all_there_is_for_a_new_task() -> None:
    cut = event(attendees=[guest("eve@guest.example")], attendeesOmitted=True)

    assert meeting_on(cut).attendees == {EVE}


def test_a_whole_list_counts_whatever_the_task_has() -> None:
    whole = event(attendees=[guest("eve@guest.example")])

    assert meeting_on(whole, unlisted=frozenset({FAY})).attendees == {EVE}


def test_a_list_cut_short_is_never_written_back() -> None:
    cut = event(attendees=[guest("ann@google.example")], attendeesOmitted=True)

    body = event_patch(cut, meeting(attendees=frozenset({EVE})), ATTENDEES)

    assert body == {}


# -- to the CRM -------------------------------------------------------------------


def test_a_new_task_lists_the_guests_with_names_and_answers() -> None:
    invited = event(
        attendees=[
            guest("bob@google.example", "tentative", displayName="Bob B."),
            guest("eve@guest.example", "declined"),
            guest("ann@google.example", "accepted", self=True, organizer=True),
        ]
    )
    answers = mapping.responses_of_event(invited, directory=DIRECTORY)

    body = task_body(meeting_on(invited), invited, responses=answers)

    assert body["attendees"] == [
        {"email": "bob@crm.example", "name": "Bob B.", "response": "tentative"},
        {"email": "eve@guest.example", "name": None, "response": "declined"},
    ]


def test_guests_follow_google_and_keep_what_only_the_crm_knows() -> None:
    listed = task(
        attendees=[
            {"email": "eve@guest.example", "name": "Eve E.", "response": "accepted"},
            {"email": "fay@guest.example", "name": "Fay F.", "response": "accepted"},
            {"email": "ann@crm.example", "name": "Ann A.", "response": "tentative"},
        ]
    )
    target = meeting(attendees=frozenset({EVE, BOB.email}))

    body = task_patch(listed, target, ATTENDEES)

    assert body["attendees"] == [
        {"email": "ann@crm.example", "name": "Ann A.", "response": "tentative"},
        {"email": "bob@crm.example", "name": None, "response": "needs_action"},
        {"email": "eve@guest.example", "name": "Eve E.", "response": "accepted"},
    ]


def test_rows_that_are_no_guests_of_the_event_stay_in_the_crm() -> None:
    listed = task(attendees=[attendee("eve@guest.example", "accepted")])
    target = meeting(attendees=frozenset({FAY}))

    body = task_patch(listed, target, ATTENDEES, own=frozenset({EVE}))

    assert body["attendees"] == [
        attendee("eve@guest.example", "accepted"),
        attendee("fay@guest.example"),
    ]


@pytest.mark.parametrize(
    ("google", "crm"),
    [
        ("needsAction", "needs_action"),
        ("accepted", "accepted"),
        ("declined", "declined"),
        ("tentative", "tentative"),
    ],
)
def test_answers_go_to_the_crm_in_its_own_spelling(google: str, crm: str) -> None:
    invited = event(attendees=[guest("eve@guest.example", google)])
    listed = task(attendees=[{"email": "eve@guest.example", "response": None}])
    answers = mapping.responses_of_event(invited, directory=DIRECTORY)

    body = task_patch(
        listed,
        meeting_on(invited),
        frozenset(),
        responses={**answers, Address("x@y.example"): Response.DECLINED},
    )

    expected = [attendee("eve@guest.example", crm)]
    assert body == ({} if crm == "needs_action" else {"attendees": expected})


def test_a_guest_who_did_not_answer_keeps_what_the_crm_says() -> None:
    listed = task(attendees=[attendee("eve@guest.example", "accepted")])

    body = task_patch(listed, meeting(attendees=frozenset({EVE})), frozenset())

    assert body == {}


def test_answers_are_read_under_the_addresses_of_the_crm_and_rooms_give_none() -> None:
    invited = event(attendees=[ROOM, guest("Bob@google.example", "declined")])

    answers = mapping.responses_of_event(invited, directory=DIRECTORY)

    assert answers == {BOB.email: Response.DECLINED}


def test_answers_are_never_written_to_google() -> None:
    accepted = task(attendees=[attendee("eve@guest.example", "accepted")])

    body = event_body(meeting_of(accepted), accepted.attendees)

    assert body["attendees"] == [{"email": "eve@guest.example"}]


def test_the_owners_answer_is_no_guests() -> None:
    before = event(attendees=[guest(str(ANN.google), "needsAction", self=True)])
    after = event(attendees=[guest(str(ANN.google), "accepted", self=True)])

    assert meeting_on(before) == meeting_on(after)
