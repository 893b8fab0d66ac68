"""Google's push notifications: what is queued, and what is refused how."""

from dataclasses import replace

import pytest

from shared.adapters import crypto
from shared.domain import messages
from shared.domain.messages import Message, Queue, Trigger
from tests import store_rows
from tests.unit.receiver.delivering import CHANNEL, lose_organizations, push
from tests.unit.receiver.house import NOW, House
from webhook_receiver.app import create_app


class TestGoogle:
    """Push notifications."""

    def test_a_notification_is_queued(self, house: House) -> None:
        answer = push(house)

        (message,) = house.queued()
        assert (answer.status_code, answer.data) == (204, b"")
        assert message == Message(
            id=message.id,
            queue=Queue.GOOGLE_CHANGES,
            subject=messages.ChannelNotified(
                channel_id=CHANNEL, resource_id="r1", resource_state="exists"
            ),
            trigger=Trigger.WEBHOOK,
            queued_at=NOW,
        )

    def test_every_notification_is_a_delivery_of_its_own(self, house: House) -> None:
        push(house)
        push(house)

        assert len({message.id for message in house.queued()}) == 2

    def test_no_database_is_needed(self, house: House) -> None:
        lose_organizations(house)

        assert push(house).status_code == 204

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Channel_Token": None}, 401),
            ({"Channel_Token": ""}, 401),
            ({"Channel_Token": "wrong"}, 401),
            ({"Channel_Token": "w\xf6rong"}, 401),
            ({"Channel_ID": "another"}, 401),
            ({"Channel_Token": None, "Channel_ID": None}, 401),
            ({"Channel_Token": "wrong", "Resource_State": None}, 401),
            ({"Channel_ID": None}, 400),
            ({"Resource_State": None}, 400),
            ({"Resource_State": "x" * 256}, 400),
            ({"Resource_ID": "x" * 256}, 400),
        ],
    )
    def test_a_bad_notification_is_refused_and_leaves_one_line(
        self,
        house: House,
        headers: dict[str, str | None],
        status: int,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        answer = push(house, **headers)

        assert answer.status_code == status
        assert answer.content_type == "application/problem+json"
        assert house.queued() == []
        assert len(caplog.records) == 1
        assert "wrong" not in caplog.text

    def test_a_token_of_an_older_key_is_accepted(self, house: House) -> None:
        keys = crypto.Keys([crypto.Keys.generate(), store_rows.KEY])
        house.app = create_app(replace(house.services, keys=keys))

        assert push(house).status_code == 204

    def test_without_a_confirm_the_sender_is_asked_to_come_again(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        house.is_broker_down = True

        answer = push(house)

        assert answer.status_code == 503
        assert len(caplog.records) == 1
