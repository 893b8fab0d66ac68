"""The simulated Calendar API: watch channels and what they deliver."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import pytest

from deploy.demo.google import delivery
from tests.contract.google_simulator import (
    ANNA,
    BEN,
    PUSH_ADDRESS,
    Google,
    guests,
    refusal,
)

ECHOED = "what the receiver checks"


@pytest.fixture
def google() -> Google:
    return Google()


def _states(google: Google) -> list[str]:
    return [sent.headers["X-Goog-Resource-State"] for sent in google.sender.take()]


def test_a_watch_answers_with_the_channel(google: Google) -> None:
    channel = google.watch(token=ECHOED)

    expires_at = google.clock.at + timedelta(days=7)
    assert channel == {
        "kind": "api#channel",
        "id": "channel-1",
        "resourceId": channel["resourceId"],
        "resourceUri": (
            "https://www.googleapis.com/calendar/v3/calendars/primary/events?alt=json"
        ),
        "token": ECHOED,
        "expiration": str(int(expires_at.timestamp() * 1000)),
    }


def test_channels_of_one_account_on_one_calendar_share_the_resource(
    google: Google,
) -> None:
    first, second = google.watch(), google.watch(id="channel-2")
    other = google.watch(BEN, id="channel-3")

    assert first["resourceId"] == second["resourceId"] != other["resourceId"]


def test_the_first_message_is_number_one_and_says_sync(google: Google) -> None:
    channel = google.watch(token=ECHOED)

    (sent,) = google.sender.take()

    assert sent.address == PUSH_ADDRESS
    headers = dict(sent.headers)
    expiry = parsedate_to_datetime(headers.pop("X-Goog-Channel-Expiration"))
    assert expiry == google.clock.at + timedelta(days=7)
    assert headers.pop("User-Agent").startswith("APIs-Google;")
    assert headers == {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br",
        "X-Goog-Channel-ID": "channel-1",
        "X-Goog-Channel-Token": ECHOED,
        "X-Goog-Message-Number": "1",
        "X-Goog-Resource-ID": channel["resourceId"],
        "X-Goog-Resource-State": "sync",
        "X-Goog-Resource-URI": channel["resourceUri"],
    }


def test_every_change_is_told_ones_own_too_with_growing_numbers(
    google: Google,
) -> None:
    google.watch()
    google.sender.take()

    made = google.insert()
    google.patch(made["id"], {"summary": "New"})
    google.delete(made["id"])

    sent = google.sender.take()
    numbers = [int(one.headers["X-Goog-Message-Number"]) for one in sent]
    assert {one.headers["X-Goog-Resource-State"] for one in sent} == {"exists"}
    assert len(numbers) == 3
    assert 1 < numbers[0] < numbers[1] < numbers[2]


def test_a_refused_or_empty_change_is_told_to_nobody(google: Google) -> None:
    made = google.insert()
    google.watch()
    google.sender.take()

    google.patch(made["id"], {"summary": made["summary"]})
    google.call("PATCH", made["id"], {"summary": "New"}, if_match='"1"')

    assert google.sender.take() == []


def test_a_change_is_told_on_every_calendar_that_it_reaches(google: Google) -> None:
    google.watch()
    google.watch(BEN, id="channel-2")
    google.sender.take()

    google.insert(attendees=guests(BEN))

    told = {sent.headers["X-Goog-Channel-ID"] for sent in google.sender.take()}
    assert told == {"channel-1", "channel-2"}


@pytest.mark.parametrize(
    ("fields", "life"),
    [
        ({"params": {"ttl": "3600"}}, timedelta(hours=1)),
        ({"params": {"ttl": "31536000"}}, timedelta(days=30)),
        ({"expiration": 1795597200000}, timedelta(days=1)),
        ({"expiration": "1795597200000"}, timedelta(days=1)),
        (
            {"expiration": "1795597200000", "params": {"ttl": "3600"}},
            timedelta(hours=1),
        ),
    ],
)
def test_the_most_restrictive_wish_decides_how_long_a_channel_lives(
    google: Google, fields: dict[str, Any], life: timedelta
) -> None:
    channel = google.watch(**fields)

    expires_at = google.clock.at + life
    assert channel["expiration"] == str(int(expires_at.timestamp() * 1000))


def test_an_expired_channel_is_silent(google: Google) -> None:
    google.watch(params={"ttl": "60"})
    google.sender.take()
    google.clock.advance(seconds=61)

    google.insert()

    assert google.sender.take() == []
    assert google.ask("channels")["channels"] == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"address": "http://receiver.example.com/"}, "push.webhookUrlNotHttps"),
        ({"address": "receiver.example.com"}, "push.webhookUrlNotHttps"),
        ({"id": ""}, "required"),
        ({"id": "x" * 65}, "invalid"),
        ({"token": "x" * 257}, "invalid"),
        ({"type": "carrier_pigeon"}, "invalid"),
        ({"params": {"ttl": "soon"}}, "invalid"),
        ({"expiration": "1"}, "invalid"),
        ({"id": 7}, "invalid"),
    ],
)
def test_what_cannot_be_watched_is_a_400(
    google: Google, fields: dict[str, Any], reason: str
) -> None:
    body = {"id": "channel-1", "type": "web_hook", "address": PUSH_ADDRESS, **fields}

    answer = google.call("POST", "watch", body)

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, reason)
    assert google.sender.take() == []


def test_a_calendar_that_google_fills_itself_cannot_be_watched(
    google: Google,
) -> None:
    holidays = "en.german#holiday@group.v.calendar.google.com"
    google.order("calendars", account=ANNA, id=holidays, access_role="reader")
    body = {"id": "channel-1", "type": "web_hook", "address": PUSH_ADDRESS}

    answer = google.call("POST", "watch", body, calendar=holidays)

    reason = "pushNotSupportedForRequestedResource"
    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, reason)
    assert google.ask("channels")["channels"] == []


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:80/x"]
)
def test_a_loopback_address_needs_no_https(google: Google, address: str) -> None:
    channel = google.watch(address=address)

    assert channel["id"] == "channel-1"


def test_a_channel_id_is_good_for_one_channel_even_a_stopped_one(
    google: Google,
) -> None:
    channel = google.watch()
    _stop(google, channel)
    body = {"id": "channel-1", "type": "web_hook", "address": PUSH_ADDRESS}

    answer = google.call("POST", "watch", body)

    assert refusal(answer) == (HTTPStatus.BAD_REQUEST, "channelIdNotUnique")
    assert "channel-1 not unique" in answer.get_json()["error"]["message"]


def _stop(google: Google, channel: dict[str, Any], token: str = f"demo-{ANNA}") -> Any:  # noqa: ANN401 -- either outcome
    body = {"id": channel["id"], "resourceId": channel["resourceId"]}
    return google.send("POST", "channels/stop", body=body, token=token)


def test_a_stopped_channel_is_silent(google: Google) -> None:
    channel = google.watch()
    google.sender.take()

    answer = _stop(google, channel)
    google.insert()

    assert (answer.status_code, answer.data) == (HTTPStatus.NO_CONTENT, b"")
    assert google.sender.take() == []


def test_only_ones_own_known_channel_can_be_stopped(google: Google) -> None:
    channel = google.watch()

    refused = [
        _stop(google, channel, token=f"demo-{BEN}"),
        _stop(google, {**channel, "id": "channel-2"}),
        _stop(google, {**channel, "resourceId": "other"}),
    ]
    _stop(google, channel)
    refused.append(_stop(google, channel))

    for answer in refused:
        assert refusal(answer) == (HTTPStatus.NOT_FOUND, "notFound")
        assert "not found for project" in answer.get_json()["error"]["message"]


def test_notifications_are_dropped_on_demand(google: Google) -> None:
    google.watch()
    google.sender.take()
    google.order("faults", notifications="drop", times=1)

    google.insert()
    dropped = google.sender.take()
    google.insert()

    assert dropped == []
    assert _states(google) == ["exists"]


def test_notifications_are_doubled_on_demand(google: Google) -> None:
    google.watch()
    google.sender.take()
    google.order("faults", notifications="duplicate", times=1)

    google.insert()

    first, second = google.sender.take()
    assert first == second


def test_notifications_are_late_on_demand(google: Google) -> None:
    google.watch()
    google.sender.take()
    google.order("faults", notifications="late", seconds=30, times=1)

    google.insert()

    (late,) = google.sender.waiting
    assert late.delay_seconds == 30


def test_the_first_message_overtakes_the_answer_on_demand(google: Google) -> None:
    google.order("faults", notifications="before_response", times=1)

    google.watch()

    (overtaking,) = google.sender.sent_at_once
    assert overtaking.headers["X-Goog-Resource-State"] == "sync"
    assert google.sender.take() == []


def test_a_test_delivers_on_command_and_a_5xx_is_tried_again(google: Google) -> None:
    google.watch()
    answers = iter([HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.NO_CONTENT])
    received: list[delivery.Notification] = []

    def receive(notification: delivery.Notification) -> int:
        received.append(notification)
        return next(answers)

    google.sender.deliver(receive)
    google.sender.deliver(receive)
    google.sender.deliver(receive)

    assert len(received) == 2
    assert received[0] == received[1]


def test_open_channels_can_be_seen(google: Google) -> None:
    google.watch()

    (channel,) = google.ask("channels")["channels"]

    assert (channel["id"], channel["calendar_id"]) == ("channel-1", ANNA)
