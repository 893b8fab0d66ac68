"""The simulated Calendar API: whom `sendUpdates` tells by mail."""

import pytest

from tests.contract.google_simulator import ANNA, BEN, CARA, Google, guests, hour

STRANGER = "stranger@example.net"


@pytest.fixture
def google() -> Google:
    return Google()


def _invite(google: Google, *addresses: str, **fields: object) -> str:
    return str(google.insert(attendees=guests(*addresses), **fields)["id"])


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("all", {BEN, CARA, STRANGER}),
        ("externalOnly", {CARA, STRANGER}),
        ("none", set()),
    ],
)
def test_send_updates_decides_who_gets_mail(
    google: Google, policy: str, told: set[str]
) -> None:
    event = _invite(google, ANNA, BEN, CARA, STRANGER, sendUpdates=policy)
    google.patch(event, {"location": "Room 2"}, sendUpdates=policy)
    google.patch(event, {"colorId": "3"}, sendUpdates=policy)
    google.delete(event, sendUpdates=policy)

    mails = google.mails()

    for kind in ("invitation", "update", "cancellation"):
        assert {to for sort, to in mails if sort == kind} == told
    assert len(mails) == 3 * len(told)


def test_only_new_and_lost_guests_hear_of_a_changed_list(google: Google) -> None:
    event = _invite(google, BEN, CARA)

    google.patch(event, {"attendees": guests(CARA, STRANGER)}, sendUpdates="all")

    assert sorted(google.mails()) == [("cancellation", BEN), ("invitation", STRANGER)]


def test_an_answer_is_mailed_to_the_organizer(google: Google) -> None:
    event = _invite(google, BEN)
    rows = [{"email": BEN, "responseStatus": "accepted"}]

    google.patch(event, {"attendees": rows}, BEN, sendUpdates="all")

    assert google.mails() == [("reply", ANNA)]


def test_no_policy_means_no_mail_and_the_old_parameter_still_counts(
    google: Google,
) -> None:
    body = {**hour("2026-12-01T10:00"), "attendees": guests(BEN)}

    google.call("POST", body=body)
    silent = google.mails()
    google.call("POST", body=body, sendNotifications="true")

    assert silent == []
    assert google.mails() == [("invitation", BEN)]
