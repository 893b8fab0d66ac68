"""The pages of dead letters: why they failed, and what becomes of them."""

import pytest
from flask.testing import FlaskClient

from shared.adapters.store import tables
from shared.domain import messages
from shared.domain.messages import Queue
from tests import store_rows
from tests.unit.receiver import markup
from tests.unit.receiver.house import NOW, House
from tests.unit.receiver.test_api_operation import dead, file
from tests.unit.receiver.test_pages_conflicts import send

PAGE = "/admin/dead-letters"


@pytest.fixture
def operator(house: House, acme: tables.Organization) -> FlaskClient:
    """Return an operator's browser."""
    return house.signed_in(acme, "operator", None)


def count(house: House, acme: tables.Organization) -> int:
    """Return how many dead letters there are."""
    with house.found() as work:
        return work.dead_letters.count(acme.id, with_nobodys=True)


class TestShowing:
    """What there is."""

    def test_they_are_listed_and_counted_by_reason(
        self, house: House, acme: tables.Organization, operator: FlaskClient
    ) -> None:
        file(house, acme.id, dead("d1"))
        file(house, acme.id, dead("d2"), queue="backfill")
        file(house, None, dead("d3", "unexpected"), event_id=None)

        page = operator.get(PAGE).text

        text = markup.text(page)
        assert "event e1: no start" in text
        assert "First syncs and repairs" in text
        assert "No single record" in text
        assert 'aria-label="Discard all: Value that does not fit"' in page
        assert 'aria-label="Replay all dead letters"' in page

    def test_they_are_filtered(
        self, house: House, acme: tables.Organization, operator: FlaskClient
    ) -> None:
        first = file(house, acme.id, dead("d1"))
        second = file(house, acme.id, dead("d2", "crm_gone"), queue="backfill")

        by_reason = operator.get(f"{PAGE}?reason=mapping").text
        by_queue = operator.get(f"{PAGE}?queue=backfill").text

        assert f'value="{first}"' in by_reason
        assert f'value="{second}"' not in by_reason
        assert f'value="{second}"' in by_queue
        assert f'value="{first}"' not in by_queue
        assert "No dead letter fits" in operator.get(f"{PAGE}?reason=none").text

    def test_meetings_are_called_by_their_titles(
        self, house: House, acme: tables.Organization
    ) -> None:
        with house.store.begin() as work:
            known = {"meeting": {"title": "Lunch"}}
            store_rows.add_link(work, acme, task_id="t1", baseline=known)
            work.commit()
        file(house, acme.id, dead("d1"), task_id="t1")
        admin = house.signed_in(acme, "admin", None)

        assert '<a href="/record?task_id=t1">Lunch</a>' in admin.get(PAGE).text

    def test_there_are_none(self, operator: FlaskClient) -> None:
        assert "There are no dead letters" in operator.get(PAGE).text

    def test_one_is_shown_with_its_message_and_its_attempts(
        self, house: House, acme: tables.Organization, operator: FlaskClient
    ) -> None:
        message = messages.failed(dead("d1"), "rate_limit", "429", at=NOW)
        row_id = file(house, acme.id, message)

        text = markup.text(operator.get(f"{PAGE}/{row_id}").text)

        assert '"kind": "event_due"' in text
        assert "event e1: no start" in text
        assert "429" in text

    @pytest.mark.parametrize("message", ["not JSON", "[]", '{"kind": "of 2031"}'])
    def test_one_that_cannot_be_read_is_shown_as_it_is(
        self,
        house: House,
        acme: tables.Organization,
        operator: FlaskClient,
        message: str,
    ) -> None:
        row_id = file(house, acme.id, dead("d1"), message=message)

        text = markup.text(operator.get(f"{PAGE}/{row_id}").text)

        assert message.strip("{}") in text
        assert "event e1: no start" in text


class TestActing:
    """Replaying and discarding."""

    def test_one_is_replayed_at_once(
        self, house: House, acme: tables.Organization, operator: FlaskClient
    ) -> None:
        row_id = file(house, acme.id, dead("d1"))

        answer = send(operator, f"{PAGE}/replay", ids=str(row_id))

        assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
        assert len(house.queued()) == 1
        assert "1 dead letter is in the queue again" in operator.get(PAGE).text

    @pytest.mark.parametrize(
        ("form", "asked"),
        [
            ({"ids": ["1", "2"]}, "Discard 2 dead letters?"),
            ({"ids": ["3"]}, "Discard 1 dead letter?"),
            (
                {"reason": "mapping"},
                "Discard 2 dead letters of the reason “Value that does not fit”?",
            ),
            ({"all": "yes"}, "Discard 3 dead letters?"),
        ],
    )
    def test_discarding_is_asked_first_with_the_count(
        self,
        house: House,
        acme: tables.Organization,
        operator: FlaskClient,
        form: dict[str, str],
        asked: str,
    ) -> None:
        for name, reason in (("a", "mapping"), ("b", "mapping"), ("c", "crm_gone")):
            file(house, acme.id, dead(name, reason))

        answer = send(operator, f"{PAGE}/discard", **form)

        assert f"<h1>{asked}</h1>" in answer.text
        assert count(house, acme) == 3
        done = send(operator, f"{PAGE}/discard", confirmed="yes", **form)
        assert done.status_code == 303
        gone = 3 - count(house, acme)
        assert f"Discard {gone} dead letter" in asked

    def test_replaying_several_is_asked_first(
        self, house: House, acme: tables.Organization, operator: FlaskClient
    ) -> None:
        file(house, acme.id, dead("d1"))

        answer = send(operator, f"{PAGE}/replay", reason="mapping")

        assert "Replay 1 dead letter of the reason" in answer.text
        assert house.queued() == []

    def test_what_cannot_be_read_stays_and_is_told(
        self, house: House, acme: tables.Organization, operator: FlaskClient
    ) -> None:
        garbage = messages.unreadable(Queue.RECORDS, b"x", delivery_id="d1", at=NOW)
        row_id = file(house, None, garbage)

        send(operator, f"{PAGE}/replay", ids=str(row_id))

        assert "1 message cannot be read" in operator.get(PAGE).text
        assert count(house, acme) == 1

    def test_nothing_ticked_is_told(self, operator: FlaskClient) -> None:
        send(operator, f"{PAGE}/discard", ids="x")

        assert "Tick at least one" in operator.get(PAGE).text

    def test_one_that_is_gone_is_told(self, operator: FlaskClient) -> None:
        send(operator, f"{PAGE}/replay", ids="999")

        assert "gone by now" in operator.get(PAGE).text


class TestRoles:
    """Whose they are."""

    def test_another_organizations_are_not_there(
        self, house: House, operator: FlaskClient
    ) -> None:
        row_id = file(house, house.organization("other").id, dead("d1"))

        assert operator.get(f"{PAGE}/{row_id}").status_code == 404
        assert f'value="{row_id}"' not in operator.get(PAGE).text

    def test_users_see_none(self, house: House, acme: tables.Organization) -> None:
        assert house.signed_in(acme).get(PAGE).status_code == 403
