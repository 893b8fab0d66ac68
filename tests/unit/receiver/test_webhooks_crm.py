"""The CRM's webhooks: what is queued, and what is refused how."""

import json
import logging
from datetime import timedelta

import pytest

from shared.adapters.store import tables
from shared.domain import bursts, identifiers, messages, signing
from shared.domain.messages import Message, Queue, Trigger
from tests.unit.receiver.bodies import Endless, Malformed, in_pieces
from tests.unit.receiver.delivering import (
    Options,
    deliver,
    event,
)
from tests.unit.receiver.house import NOW, House


class TestCrm:
    """Events of the CRM."""

    def test_an_event_is_queued_under_an_id_of_its_delivery(
        self,
        house: House,
        acme: tables.Organization,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO)

        answer = deliver(house, delivery_id="d42")

        assert (answer.status_code, answer.data) == (202, b"")
        assert house.queued() == [
            Message(
                id=identifiers.delivery_id("acme", "d42"),
                queue=Queue.CRM_CHANGES,
                subject=messages.TaskChanged(
                    organization=acme.name, task_id="t1", version=7
                ),
                trigger=Trigger.WEBHOOK,
                queued_at=NOW,
            )
        ]
        assert {record.levelname for record in caplog.records} <= {"INFO"}

    @pytest.mark.usefixtures("acme")
    def test_a_crowd_of_new_tasks_is_queued_as_bulk(self, house: House) -> None:
        for number in range(bursts.MOST_NEW + 2):
            task = {"id": f"t{number}", "version": 1, "owner_id": "importer"}
            body = json.dumps(event(data=task)).encode()
            deliver(house, body, delivery_id=f"d{number}")

        queues = [message.queue for message in house.queued()]

        assert queues[-3:] == [Queue.CRM_CHANGES, Queue.BACKFILL, Queue.BACKFILL]

    @pytest.mark.parametrize("kind", ["task.created", "task.updated", "task.deleted"])
    @pytest.mark.usefixtures("acme")
    def test_all_types_of_events_are_taken(self, house: House, kind: str) -> None:
        body = json.dumps(event(type=kind)).encode()

        assert deliver(house, body).status_code == 202

    @pytest.mark.usefixtures("acme")
    def test_the_type_of_the_body_may_name_its_charset(self, house: House) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8"}

        assert deliver(house, headers=headers).status_code == 202

    @pytest.mark.parametrize(
        "options",
        [
            {"secret": signing.new_secret(b"x" * 24)},
            {"sent": timedelta(minutes=-5, seconds=-1)},
            {"sent": timedelta(minutes=5, seconds=1)},
            {"headers": {"webhook-signature": None}},
            {"headers": {"webhook-id": None}},
            {"headers": {"webhook-timestamp": None}},
            {"headers": {"webhook-timestamp": "yesterday"}},
            {"headers": {"webhook-id": "d2"}},
            {"headers": {"webhook-signature": "v1,bm90IHRoZSBzaWduYXR1cmU="}},
            {"headers": {"Content-Type": "text/plain", "webhook-signature": "v1,"}},
        ],
    )
    @pytest.mark.usefixtures("acme")
    def test_what_is_not_signed_rightly_and_now_is_refused_with_one_line(
        self, house: House, options: Options, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = deliver(house, **options)

        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert house.queued() == []
        assert len(caplog.records) == 1

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff\xfe",
            b"[" * 50_000,
            b'"task.updated"',
            json.dumps(event(type="contact.updated")).encode(),
            json.dumps(event(data=None)).encode(),
            json.dumps(event(data={"version": 7})).encode(),
            json.dumps(event(data={"id": "t1"})).encode(),
            json.dumps(event(data={"id": "", "version": 7})).encode(),
            json.dumps(event(data={"id": 7, "version": 7})).encode(),
            json.dumps(event(data={"id": "t\x00", "version": 7})).encode(),
            json.dumps(event(data={"id": "t" * 256, "version": 7})).encode(),
            json.dumps(event(data={"id": "t1", "version": "7"})).encode(),
            json.dumps(event(data={"id": "t1", "version": 0})).encode(),
            json.dumps(event(data={"id": "t1", "version": 2**63})).encode(),
            json.dumps(event(data={"id": "t1", "version": 1.5})).encode(),
            json.dumps(event(data={"id": "t1", "version": True})).encode(),
        ],
    )
    @pytest.mark.usefixtures("acme")
    def test_what_is_no_event_is_refused_with_one_line(
        self, house: House, body: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = deliver(house, body)

        assert answer.status_code == 400
        assert house.queued() == []
        assert len(caplog.records) == 1

    @pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", None])
    @pytest.mark.usefixtures("acme")
    def test_what_is_not_declared_as_json_is_refused(
        self, house: House, kind: str | None
    ) -> None:
        answer = deliver(house, headers={"Content-Type": kind})

        assert answer.status_code == 400
        assert house.queued() == []

    @pytest.mark.usefixtures("acme")
    def test_an_id_that_no_broker_can_keep_is_refused(self, house: House) -> None:
        assert deliver(house, delivery_id="d" * 256).status_code == 400
        assert deliver(house, delivery_id="d" * 255).status_code == 202

    @pytest.mark.parametrize("name", ["other", "ACME", "a" * 64, "%00", "acme%20"])
    @pytest.mark.usefixtures("acme")
    def test_an_unknown_organization_is_refused_with_one_line(
        self, house: House, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = deliver(house, organization=name)

        assert answer.status_code == 404
        assert house.queued() == []
        assert len(caplog.records) == 1
        assert name not in caplog.text

    @pytest.mark.usefixtures("acme")
    def test_an_oversized_body_is_refused_with_one_line(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = deliver(house, b" " * (256 * 1024 + 1))

        assert answer.status_code == 413
        assert len(caplog.records) == 1

    @pytest.mark.usefixtures("acme")
    def test_a_body_of_the_largest_size_is_taken(self, house: House) -> None:
        body = json.dumps(event()).encode().ljust(256 * 1024)

        assert deliver(house, body).status_code == 202

    @pytest.mark.usefixtures("acme")
    def test_an_oversized_body_is_not_read_to_its_end(self, house: House) -> None:
        body = Endless()

        answer = house.browser().post(
            "/webhooks/crm/acme",
            environ_overrides=in_pieces(body),
        )

        assert answer.status_code == 413
        assert body.given < 1024 * 1024

    @pytest.mark.usefixtures("acme")
    def test_a_malformed_body_is_refused_with_one_line(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = house.browser().post(
            "/webhooks/crm/acme", environ_overrides=in_pieces(Malformed())
        )

        assert answer.status_code == 400
        assert answer.content_type == "application/problem+json"
        assert house.queued() == []
        assert len(caplog.records) == 1
        assert caplog.records[0].exc_info is None

    @pytest.mark.usefixtures("acme")
    def test_without_a_confirm_the_sender_is_asked_to_come_again(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        house.is_broker_down = True

        answer = deliver(house)

        assert answer.status_code == 503
        assert len(caplog.records) == 1

    @pytest.mark.usefixtures("acme")
    def test_other_methods_are_refused(self, house: House) -> None:
        answer = house.browser().get("/webhooks/crm/acme")

        assert answer.status_code == 405
        assert answer.content_type == "application/problem+json"
        assert "POST" in answer.headers["Allow"]
