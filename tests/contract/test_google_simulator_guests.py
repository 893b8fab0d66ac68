"""The simulated Calendar API: invitations, guests' copies, answers and mail."""

from http import HTTPStatus

import pytest

from tests.contract.google_simulator import (
    ANNA,
    BEN,
    CARA,
    Google,
    Row,
    answers,
    guests,
    hour,
    refusal,
)

STRANGER = "stranger@example.net"


@pytest.fixture
def google() -> Google:
    return Google()


def _invite(google: Google, *addresses: str, **fields: object) -> str:
    return str(google.insert(attendees=guests(*addresses), **fields)["id"])


def _answer(google: Google, event: str, guest: str, status: str) -> Row:
    rows = google.get(event, guest)["attendees"]
    for row in rows:
        if row.get("self"):
            row["responseStatus"] = status
    return google.patch(event, {"attendees": rows}, guest)


def test_a_guest_gets_a_copy_under_the_same_id_and_uid(google: Google) -> None:
    made = google.insert(
        attendees=guests(ANNA, BEN),
        colorId="5",
        reminders={"useDefault": False, "overrides": []},
        extendedProperties={"private": {"a": "1"}, "shared": {"b": "2"}},
    )

    copy = google.get(made["id"], BEN)

    assert (copy["id"], copy["iCalUID"]) == (made["id"], made["iCalUID"])
    assert copy["organizer"] == {"email": ANNA}
    assert copy["attendees"] == [
        {"email": ANNA, "responseStatus": "needsAction", "organizer": True},
        {"email": BEN, "responseStatus": "needsAction", "self": True},
    ]
    assert copy["extendedProperties"] == {"shared": {"b": "2"}}
    assert copy["reminders"] == {"useDefault": True}
    assert "colorId" not in copy


def test_a_guest_is_found_however_the_address_is_written(google: Google) -> None:
    made = google.insert(attendees=guests("Ben@Example.COM"))
    event = made["id"]

    copy = google.get(event, BEN)
    google.patch(
        event, {"attendees": [{"email": BEN, "responseStatus": "accepted"}]}, BEN
    )

    assert [row["self"] for row in copy["attendees"]] == [True]
    assert list(answers(google.get(event)).values()) == ["accepted"]


def test_where_an_event_came_from_is_for_its_creator_only(google: Google) -> None:
    source = {"title": "CRM", "url": "https://crm.example.com/7"}

    event = _invite(google, BEN, source=source)

    assert google.get(event)["source"] == source
    assert "source" not in google.get(event, BEN)


def test_what_is_private_to_a_copy_stays_there(google: Google) -> None:
    event = _invite(google, BEN)
    google.patch(event, {"colorId": "7", "transparency": "transparent"}, BEN)
    google.patch(event, {"extendedProperties": {"private": {"mine": "1"}}}, BEN)

    google.patch(event, {"summary": "Renamed"})

    copy = google.get(event, BEN)
    assert (copy["summary"], copy["colorId"]) == ("Renamed", "7")
    assert copy["transparency"] == "transparent"
    assert "colorId" not in google.get(event)


def test_a_guests_private_properties_outlive_the_organizers_change(
    google: Google,
) -> None:
    event = _invite(google, BEN)
    google.patch(event, {"extendedProperties": {"private": {"mine": "1"}}}, BEN)

    google.patch(event, {"extendedProperties": {"shared": {"room": "7"}}})

    assert google.get(event, BEN)["extendedProperties"] == {
        "private": {"mine": "1"},
        "shared": {"room": "7"},
    }


def test_shared_properties_are_everybodys_to_edit(google: Google) -> None:
    event = _invite(google, BEN, extendedProperties={"private": {"a": "1"}})

    google.patch(event, {"extendedProperties": {"shared": {"room": "7"}}}, BEN)

    assert google.get(event)["extendedProperties"] == {
        "private": {"a": "1"},
        "shared": {"room": "7"},
    }


def test_an_answer_travels_to_the_organizer_and_the_other_guests(
    google: Google,
) -> None:
    event = _invite(google, BEN, CARA)
    token = google.sync_token()

    _answer(google, event, BEN, "accepted")

    for account in (ANNA, BEN, CARA):
        seen = answers(google.get(event, account))
        assert seen == {BEN: "accepted", CARA: "needsAction"}
    assert [row["id"] for row in google.rows(syncToken=token)] == [event]


def test_an_answer_to_one_occurrence_is_an_exception_everywhere(
    google: Google,
) -> None:
    series = _invite(google, BEN, recurrence=["RRULE:FREQ=DAILY"])
    second = f"{series}_20261202T090000Z"

    _answer(google, second, BEN, "declined")

    assert answers(google.get(second)) == {BEN: "declined"}
    assert answers(google.get(series)) == {BEN: "needsAction"}
    assert second in {row["id"] for row in google.rows()}


def test_answers_to_a_crowd_reach_only_the_organizer(google: Google) -> None:
    crowd = [f"guest{number}@example.net" for number in range(200)]
    event = _invite(google, BEN, CARA, *crowd)

    _answer(google, event, BEN, "accepted")

    assert answers(google.get(event))[BEN] == "accepted"
    assert answers(google.get(event, CARA))[BEN] == "needsAction"


def test_a_guest_may_send_just_the_own_answer(google: Google) -> None:
    event = _invite(google, BEN, CARA)

    google.patch(
        event,
        {
            "attendeesOmitted": True,
            "attendees": [{"email": BEN, "responseStatus": "tentative"}],
        },
        BEN,
    )

    assert answers(google.get(event)) == {BEN: "tentative", CARA: "needsAction"}


def test_a_guests_edit_stays_local_until_the_organizers_next_change(
    google: Google,
) -> None:
    event = _invite(google, BEN)

    google.patch(event, {"summary": "Ben's title"}, BEN)
    before = google.get(event), google.get(event, BEN)
    google.patch(event, {"location": "Room 2"})

    assert [copy["summary"] for copy in before] == ["Kick-off", "Ben's title"]
    assert google.get(event, BEN)["summary"] == "Kick-off"


def test_an_answer_does_not_undo_a_local_edit(google: Google) -> None:
    event = _invite(google, BEN)
    google.patch(event, {"summary": "Ben's title"}, BEN)

    _answer(google, event, BEN, "accepted")

    assert google.get(event, BEN)["summary"] == "Ben's title"


def test_a_guest_who_may_modify_changes_it_for_all(google: Google) -> None:
    event = _invite(google, BEN, CARA, guestsCanModify=True)

    google.patch(event, {"summary": "Ben's title"}, BEN)

    titles = {google.get(event, a)["summary"] for a in (ANNA, BEN, CARA)}
    assert titles == {"Ben's title"}


@pytest.mark.parametrize("may_invite", [True, False])
def test_a_guest_brings_others_only_where_allowed(
    google: Google, *, may_invite: bool
) -> None:
    event = _invite(google, BEN, guestsCanInviteOthers=may_invite)

    google.patch(event, {"attendees": guests(BEN, CARA)}, BEN)

    assert (CARA in answers(google.get(event))) is may_invite
    found = google.call("GET", event, account=CARA)
    assert (found.status_code == HTTPStatus.OK) is may_invite


@pytest.mark.parametrize(
    "name", ["guestsCanModify", "guestsCanInviteOthers", "guestsCanSeeOtherGuests"]
)
def test_guests_do_not_decide_about_guests(google: Google, name: str) -> None:
    event = _invite(google, BEN)
    other_than_default = name == "guestsCanModify"

    answer = google.call("PATCH", event, {name: other_than_default}, account=BEN)

    assert refusal(answer) == (HTTPStatus.FORBIDDEN, "forbiddenForNonOrganizer")


def test_a_guests_update_without_those_fields_counts_as_setting_defaults(
    google: Google,
) -> None:
    event = _invite(google, BEN, guestsCanSeeOtherGuests=False)

    answer = google.call("PUT", event, hour("2026-12-01T10:00"), account=BEN)

    assert refusal(answer) == (HTTPStatus.FORBIDDEN, "forbiddenForNonOrganizer")


def test_hidden_guests_are_hidden_from_guests_only(google: Google) -> None:
    event = _invite(google, ANNA, BEN, CARA, guestsCanSeeOtherGuests=False)

    copy = google.get(event, BEN)

    assert [row["email"] for row in copy["attendees"]] == [ANNA, BEN]
    assert copy["attendeesOmitted"] is True
    assert len(google.get(event)["attendees"]) == 3


def test_deleting_with_mail_takes_the_event_from_the_guests(google: Google) -> None:
    event = _invite(google, BEN)
    token = google.sync_token(BEN)

    google.delete(event, sendUpdates="all")

    (row,) = google.rows(BEN, syncToken=token)
    assert row.keys() == {"kind", "etag", "id", "status"}
    assert row["status"] == "cancelled"


def test_deleting_without_mail_leaves_the_guests_copies(google: Google) -> None:
    event = _invite(google, BEN)

    google.delete(event, sendUpdates="none")

    assert google.get(event)["status"] == "cancelled"
    assert google.get(event, BEN)["status"] == "confirmed"


def test_who_is_taken_off_the_list_loses_the_event(google: Google) -> None:
    event = _invite(google, BEN, CARA)

    google.patch(event, {"attendees": guests(CARA)})
    refused = google.call("PATCH", event, {"status": "confirmed"}, account=BEN)
    google.patch(event, {"attendees": guests(BEN, CARA)})

    assert refusal(refused) == (HTTPStatus.FORBIDDEN, "forbidden")
    assert google.get(event, BEN)["status"] == "confirmed"


def test_deleting_ones_own_copy_declines(google: Google) -> None:
    event = _invite(google, BEN, CARA)

    google.delete(event, BEN)
    google.patch(event, {"summary": "Renamed"})

    assert answers(google.get(event))[BEN] == "declined"
    assert google.get(event, BEN)["status"] == "cancelled"
    assert google.get(event, CARA)["summary"] == "Renamed"


def test_deleting_one_occurrence_of_an_invitation_declines_that_one(
    google: Google,
) -> None:
    series = _invite(google, BEN, recurrence=["RRULE:FREQ=DAILY"])
    second = f"{series}_20261202T090000Z"

    google.delete(second, BEN)

    assert answers(google.get(second)) == {BEN: "declined"}
    assert google.get(second)["status"] == "confirmed"
    assert answers(google.get(series)) == {BEN: "needsAction"}
    assert google.get(second, BEN)["status"] == "cancelled"


def test_a_guest_of_one_occurrence_gets_just_that_one(google: Google) -> None:
    series = google.insert(recurrence=["RRULE:FREQ=DAILY"])["id"]
    second = f"{series}_20261202T090000Z"

    google.patch(second, {"attendees": guests(BEN)})

    assert [row["id"] for row in google.rows(BEN)] == [second]
    assert google.rows(BEN)[0]["recurringEventId"] == series


def test_a_guest_of_one_occurrence_follows_the_series(google: Google) -> None:
    series = google.insert(recurrence=["RRULE:FREQ=DAILY"])["id"]
    second = f"{series}_20261202T090000Z"
    google.patch(second, {"attendees": guests(BEN)})

    google.patch(series, {"summary": "Renamed"})
    edited = google.get(second, BEN)
    google.delete(series, sendUpdates="all")

    assert edited["summary"] == "Renamed"
    assert google.rows(BEN) == []


def test_a_guest_left_out_of_one_occurrence_keeps_the_others(google: Google) -> None:
    series = _invite(google, BEN, recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    second = f"{series}_20261202T090000Z"

    google.patch(second, {"attendees": guests(CARA)})

    rows = google.rows(BEN, singleEvents="true")
    assert [row["id"][-16:-8] for row in rows] == ["20261201", "20261203"]


def test_a_cancelled_occurrence_reaches_guests_who_are_told(google: Google) -> None:
    series = _invite(google, BEN, recurrence=["RRULE:FREQ=DAILY;COUNT=3"])

    google.delete(f"{series}_20261202T090000Z", sendUpdates="all")

    assert len(google.rows(BEN, singleEvents="true")) == 2


def test_the_rows_of_a_guests_series_change_together(google: Google) -> None:
    series = _invite(google, BEN, recurrence=["RRULE:FREQ=DAILY"])
    token = google.sync_token(BEN)

    google.patch(f"{series}_20261202T090000Z", {"summary": "Special"})

    rows = google.rows(BEN, syncToken=token)
    assert [row["summary"] for row in rows] == ["Kick-off", "Special"]
    assert len({row["etag"] for row in rows}) == 1


def test_a_guests_own_exceptions_follow_the_series(google: Google) -> None:
    series = _invite(google, BEN, recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    second = f"{series}_20261202T090000Z"
    google.patch(second, {"summary": "Mine"}, BEN)

    google.patch(series, {"location": "Room 1"})
    edited = google.get(second, BEN)
    google.delete(series, sendUpdates="all")

    assert (edited["summary"], edited["location"]) == ("Mine", "Room 1")
    assert google.rows(BEN, singleEvents="true") == []


def test_reviving_a_meeting_invites_again(google: Google) -> None:
    event = _invite(google, BEN)
    google.delete(event, sendUpdates="all")

    google.patch(event, {"status": "confirmed"}, sendUpdates="all")

    assert google.get(event, BEN)["status"] == "confirmed"
    assert google.mails()[-1] == ("invitation", BEN)


def test_a_moved_meeting_keeps_its_old_organizer_as_a_guest(google: Google) -> None:
    second = google.order("calendars", account=ANNA, summary="Sales")["id"]
    event = _invite(google, ANNA, BEN)

    google.call("POST", f"{event}/move", destination=second)

    assert google.get(event)["status"] == "confirmed"
    assert google.get(event)["organizer"]["email"] == second
    assert google.get(event, BEN)["organizer"]["email"] == second


def test_an_invitation_from_outside_can_be_answered(google: Google) -> None:
    planted = google.order(
        "events",
        calendar=ANNA,
        event={
            **hour("2026-12-01T10:00"),
            "summary": "Vendor call",
            "organizer": {"email": STRANGER},
            "attendees": guests(ANNA, BEN),
        },
    )

    _answer(google, planted["id"], ANNA, "accepted")

    copy = google.get(planted["id"])
    assert answers(copy) == {ANNA: "accepted", BEN: "needsAction"}
    assert copy["organizer"] == {"email": STRANGER}


def test_a_guest_who_drops_the_own_row_keeps_the_answer_given(google: Google) -> None:
    event = _invite(google, ANNA, BEN)
    _answer(google, event, BEN, "accepted")

    google.patch(event, {"attendees": guests(ANNA)}, BEN)

    assert answers(google.get(event)) == {ANNA: "needsAction", BEN: "accepted"}


def test_an_invitation_leaves_an_event_of_the_same_id_alone(google: Google) -> None:
    google.insert(BEN, id="taken12345", summary="Ben's own")

    google.insert(id="taken12345", attendees=guests(BEN))

    assert google.get("taken12345", BEN)["summary"] == "Ben's own"
    assert google.get("taken12345", BEN)["organizer"]["email"] == BEN
