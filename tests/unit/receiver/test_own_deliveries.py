"""Deliveries to our own webhook address, and what the receiver makes of them."""

import json
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from shared.adapters.store import tables
from shared.domain import signing
from tests import clocks, stub_server
from tests.unit.receiver.delivering import deliver
from tests.unit.receiver.house import NOW, SECRET, House
from webhook_receiver import own_deliveries
from webhook_receiver.own_deliveries import Arrival, Report

TEST = json.dumps({"type": own_deliveries.TEST, "data": {}}).encode()


@pytest.fixture
def reachable(house: House) -> Iterator[str]:
    """Return the address at which the receiver is reached over the network."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestTheReceiver:
    """A test as it arrives."""

    @pytest.mark.usefixtures("acme")
    def test_a_test_is_accepted_and_queues_nothing(self, house: House) -> None:
        answer = deliver(house, TEST)

        assert answer.status_code == 202
        assert house.queued() == []

    @pytest.mark.usefixtures("acme")
    def test_a_test_with_a_bad_signature_is_refused(self, house: House) -> None:
        other = signing.new_secret(b"o" * 24)

        assert deliver(house, TEST, secret=other).status_code == 401

    @pytest.mark.usefixtures("acme")
    def test_a_test_tells_that_nothing_could_be_queued(self, house: House) -> None:
        house.is_broker_down = True

        assert deliver(house, TEST).status_code == 503

    @pytest.mark.usefixtures("acme")
    def test_other_types_are_no_events(self, house: House) -> None:
        body = json.dumps({"type": "calendar_sync.other", "data": {}}).encode()

        assert deliver(house, body).status_code == 400


class TestTheSender:
    """A test as it is sent."""

    def test_a_delivery_goes_over_the_network_and_is_accepted(
        self, house: House, acme: tables.Organization, reachable: str
    ) -> None:
        report = own_deliveries.deliver(acme, reachable, house.clock)

        assert report == Report(arrival=Arrival.ACCEPTED, status=202)

    def test_a_secret_that_is_not_accepted_shows(
        self, house: House, acme: tables.Organization, reachable: str
    ) -> None:
        other = signing.new_secret(b"o" * 24)
        acme.crm_webhook_secrets = [other]

        report = own_deliveries.deliver(acme, reachable, house.clock)

        assert report == Report(arrival=Arrival.SIGNATURE_REFUSED, status=401)

    def test_the_newest_secret_signs(self, acme: tables.Organization) -> None:
        newest = signing.new_secret(b"n" * 24)
        acme.crm_webhook_secrets = [newest, SECRET]

        with stub_server.running() as stub:
            own_deliveries.deliver(acme, stub.url, clocks.SettableClock(NOW))

        (sent,) = stub.received
        signing.verify_webhook(sent.body, sent.headers, secrets=[newest], now=NOW)
        assert sent.path == "/webhooks/crm/acme"
        assert sent.json["type"] == own_deliveries.TEST

    @pytest.mark.parametrize(
        ("status", "arrival"),
        [
            (202, Arrival.ACCEPTED),
            (200, Arrival.ELSEWHERE),
            (404, Arrival.ELSEWHERE),
            (599, Arrival.ELSEWHERE),
            (308, Arrival.REDIRECTED),
            (401, Arrival.SIGNATURE_REFUSED),
            (503, Arrival.NOT_QUEUED),
        ],
    )
    def test_every_answer_has_its_meaning(
        self, acme: tables.Organization, status: int, arrival: Arrival
    ) -> None:
        with stub_server.running() as stub:
            stub.answer(status=status, location="https://elsewhere.example")
            report = own_deliveries.deliver(acme, stub.url, clocks.SettableClock(NOW))

        assert report == Report(arrival=arrival, status=status)
        assert len(stub.received) == 1

    def test_nobody_at_the_address_is_told(self, acme: tables.Organization) -> None:
        with stub_server.running() as stub:
            stub.drop()
            report = own_deliveries.deliver(acme, stub.url, clocks.SettableClock(NOW))

        assert report == Report(arrival=Arrival.UNREACHABLE)
