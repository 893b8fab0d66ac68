"""The simulated Calendar API: answers of which a client chose a part."""

from http import HTTPStatus

import pytest

from tests.contract.google_simulator import BEN, Google, Row, guests, hour, refusal


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("summary", {"summary": "Kick-off"}),
        ("summary,status", {"status": "confirmed", "summary": "Kick-off"}),
        ("start/timeZone", {"start": {"timeZone": "Europe/Berlin"}}),
        (
            "start/timeZone,summary,attendees(email, optional)",
            {
                "start": {"timeZone": "Europe/Berlin"},
                "summary": "Kick-off",
                "attendees": [{"email": BEN}],
            },
        ),
        ("attendees/*", {"attendees": [{"email": BEN, "responseStatus": "accepted"}]}),
        ("extendedProperties/private/crm", {}),
    ],
)
def test_an_answer_has_what_was_chosen(
    google: Google, fields: str, expected: Row
) -> None:
    attendees = [{"email": BEN, "responseStatus": "accepted"}]
    made = google.insert(attendees=attendees)

    answer = google.get(made["id"], fields=fields)

    assert answer == expected


def test_everything_can_be_chosen(google: Google) -> None:
    made = google.insert(attendees=guests(BEN))

    assert google.get(made["id"], fields="*") == google.get(made["id"])


def test_a_list_without_its_token_chosen_has_none(google: Google) -> None:
    made = google.insert()

    (page,) = google.pages(fields="items(id)")

    assert page == {"items": [{"id": made["id"]}]}


@pytest.mark.parametrize(
    "fields", ["title", "start/hour", "start(", "start)", "start,", "/start", "a b("]
)
def test_what_cannot_be_chosen_is_a_400_and_nothing_is_written(
    google: Google, fields: str
) -> None:
    answer = google.call("POST", body=hour("2026-12-01T10:00"), fields=fields)

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "invalidParameter")
    assert answer.get_json()["error"]["errors"][0]["location"] == "fields"
    assert google.rows() == []
