"""The calls of operators: dead letters and health."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import Direction
from shared.domain import messages
from shared.domain.messages import Message, Queue, Trigger
from tests import store_rows
from tests.unit.receiver.house import NOW, Caller, House

AT = NOW.isoformat().replace("+00:00", "Z")


def dead(delivery_id: str, reason: str = "mapping") -> Message:
    """Return a message that failed for good."""
    message = Message(
        id=delivery_id,
        queue=Queue.RECORDS,
        subject=messages.EventDue(calendar_id=3, event_id="e1"),
        trigger=Trigger.WEBHOOK,
        queued_at=NOW - timedelta(hours=2),
        job_id=7,
        attempt=5,
    )
    return messages.failed(message, reason, "event e1: no start", at=NOW)


def file(
    house: House,
    organization_id: int | None,
    letter: Message,
    **columns: Any,  # noqa: ANN401 - columns of the row
) -> int:
    """File a dead letter, as the workers do."""
    failure = letter.failures[-1]
    values: dict[str, Any] = {
        "queue": letter.queue.value,
        "reason": failure.reason,
        "error": failure.error,
        "event_id": "e1",
        "attempts": letter.attempt,
        "message": messages.encode(letter).decode(),
        "created_at": NOW,
    } | columns
    with house.store.begin() as work:
        row = work.dead_letters.file(
            tables.DeadLetter(
                organization_id=organization_id, delivery_id=letter.id, **values
            )
        )
        work.commit()
    return row.id


@pytest.fixture
def operator(house: House, acme: tables.Organization) -> Caller:
    """Return an operator."""
    return house.caller(acme, "operator")


def ids(caller: Caller, query: str = "") -> list[int]:
    """Return the ids of the dead letters that a caller sees."""
    answer = caller.get(f"/dead-letters{query}")
    return [item["id"] for item in answer.json["items"]]


class TestListing:
    """What there is."""

    def test_a_dead_letter_is_shown_with_its_reason(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        row_id = file(house, acme.id, dead("d1"))

        assert operator.get("/dead-letters").json["items"] == [
            {
                "id": row_id,
                "queue": "records",
                "reason": "mapping",
                "error": "event e1: no start",
                "task_id": None,
                "event_id": "e1",
                "attempts": 5,
                "created_at": AT,
            }
        ]

    def test_operators_see_nobodys_too_and_nobody_sees_another_organizations(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        own = file(house, acme.id, dead("d1"))
        nobodys = file(house, None, dead("d2"))
        file(house, house.organization("other").id, dead("d3"))

        assert ids(operator) == [nobodys, own]
        assert ids(house.caller(acme)) == [own]

    def test_dead_letters_are_filtered(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        first = file(house, acme.id, dead("d1"))
        second = file(house, acme.id, dead("d2", "crm_gone"), queue="backfill")

        assert ids(operator, "?reason=mapping") == [first]
        assert ids(operator, "?queue=backfill") == [second]
        assert ids(operator, "?reason=none") == []


class TestReplaying:
    """Giving messages another chance."""

    def test_a_replayed_message_begins_anew_and_keeps_its_history(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        message = dead("d1")
        row_id = file(house, acme.id, message)

        answer = operator.post("/dead-letters/replay", {"ids": [row_id]})

        assert answer.status_code == 200
        assert answer.json == {"replayed": 1, "unreadable": 0}
        # Its job is not there any more.
        again = replace(message, trigger=Trigger.RETRY, attempt=1, job_id=None)
        assert house.queued() == [again]
        assert ids(operator) == []

    def test_all_of_one_reason_are_replayed(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        for number in range(3):
            file(house, acme.id, dead(f"d{number}"))
        other = file(house, acme.id, dead("d9", "crm_gone"))

        answer = operator.post("/dead-letters/replay", {"reason": "mapping"})

        assert answer.json == {"replayed": 3, "unreadable": 0}
        assert ids(operator) == [other]

    def test_all_are_replayed_however_many(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        for number in range(205):
            file(house, acme.id, dead(f"d{number}"))

        answer = operator.post("/dead-letters/replay", {"all": True})

        assert answer.json == {"replayed": 205, "unreadable": 0}
        assert len({message.id for message in house.queued()}) == 205

    def test_all_means_all_that_the_caller_sees(
        self, house: House, acme: tables.Organization
    ) -> None:
        other = house.organization("other")
        file(house, acme.id, dead("d1"))
        kept = file(house, other.id, dead("d2"))
        file(house, None, dead("d3"))

        answer = house.caller(acme).post("/dead-letters/replay", {"all": True})

        assert answer.json == {"replayed": 1, "unreadable": 0}
        assert ids(house.caller(other)) == [kept]

    def test_what_cannot_be_read_stays(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        garbage = messages.unreadable(Queue.RECORDS, b"x", delivery_id="d1", at=NOW)
        unreadable = file(house, None, garbage)
        newer = file(house, acme.id, dead("d2"), message='{"kind": "of 2031"}')

        answer = operator.post("/dead-letters/replay", {"all": True})

        assert answer.json == {"replayed": 0, "unreadable": 2}
        assert house.queued() == []
        assert ids(operator) == [newer, unreadable]

    def test_without_the_broker_nothing_is_lost(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        row_id = file(house, acme.id, dead("d1"))
        house.is_broker_down = True

        answer = operator.post("/dead-letters/replay", {"all": True})

        assert answer.status_code == 503
        assert ids(operator) == [row_id]


class TestDiscarding:
    """Giving up on messages."""

    def test_discarded_messages_are_gone(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        first, second = (file(house, acme.id, dead(d)) for d in ("d1", "d2"))

        answer = operator.post("/dead-letters/discard", {"ids": [first, first]})

        assert answer.json == {"discarded": 1}
        assert ids(operator) == [second]
        assert house.queued() == []

    def test_unreadable_ones_can_be_discarded(
        self, house: House, operator: Caller
    ) -> None:
        garbage = messages.unreadable(Queue.RECORDS, b"x", delivery_id="d1", at=NOW)
        file(house, None, garbage)

        answer = operator.post("/dead-letters/discard", {"reason": "message_decode"})

        assert answer.json == {"discarded": 1}
        assert ids(operator) == []


@pytest.mark.parametrize("call", ["replay", "discard"])
class TestSelecting:
    """Which ones are meant."""

    def test_one_that_is_not_there_stops_the_whole_call(
        self, house: House, acme: tables.Organization, operator: Caller, call: str
    ) -> None:
        own = file(house, acme.id, dead("d1"))
        foreign = file(house, house.organization("other").id, dead("d2"))

        answer = operator.post(f"/dead-letters/{call}", {"ids": [own, foreign]})

        assert answer.status_code == 404
        assert str(foreign) in answer.json["detail"]
        assert ids(operator) == [own]
        assert house.queued() == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"ids": []},
            {"ids": ["1"]},
            {"ids": [0]},
            {"ids": [1.5]},
            {"ids": [True]},
            {"ids": [2**63]},
            {"ids": list(range(1, 1002))},
            {"ids": None},
            {"reason": ""},
            {"all": False},
            {"all": 1},
            {"all": True, "reason": "mapping"},
            {"everything": True},
        ],
    )
    def test_what_selects_nothing_clearly_is_refused(
        self,
        house: House,
        acme: tables.Organization,
        operator: Caller,
        call: str,
        body: dict[str, Any],
    ) -> None:
        row_id = file(house, acme.id, dead("d1"))

        answer = operator.post(f"/dead-letters/{call}", body)

        assert answer.status_code == 422
        assert answer.json["errors"]
        assert ids(operator) == [row_id]


def test_one_that_failed_again_meanwhile_is_kept(
    house: House, acme: tables.Organization
) -> None:
    file(house, acme.id, dead("d1"))
    with house.found() as work:
        (seen,) = work.dead_letters.page(acme.id, limit=5).rows
    again = file(house, acme.id, dead("d1"), created_at=NOW + timedelta(seconds=1))

    with house.store.begin() as work:
        forgotten = work.dead_letters.forget(seen)
        work.commit()

    assert forgotten is False
    assert ids(house.caller(acme)) == [again]


class TestHealth:
    """How the sync is doing."""

    def test_a_quiet_organization(self, operator: Caller) -> None:
        answer = operator.get("/health").json

        queues = answer.pop("queues")
        assert {"google.changes", "crm.changes", "records", "backfill"} <= set(queues)
        assert set(queues.values()) == {0}
        assert answer == {
            "connections": {},
            "channels": {"open": 0, "expiring": 0, "expired": 0},
            "open_conflicts": 0,
            "held_deletions": 0,
            "dead_letters": 0,
            "recent": {
                "since": (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
                "jobs": 0,
                "processed": 0,
                "conflicts": 0,
                "errors": 0,
            },
            "push": {
                "arrived": 0,
                "missed": 0,
                "median_seconds": None,
                "slow_seconds": None,
            },
        }

    def test_a_busy_organization(
        self, house: House, acme: tables.Organization, operator: Caller
    ) -> None:
        self.fill(house, acme)
        self.fill(house, house.organization("other"))

        answer = operator.get("/health").json

        assert answer["queues"]["records"] == 2
        assert answer["connections"] == {"active": 1, "paused": 1}
        assert answer["channels"] == {"open": 1, "expiring": 1, "expired": 1}
        assert (answer["open_conflicts"], answer["dead_letters"]) == (1, 1)
        assert answer["recent"]["jobs"] == 1
        assert answer["recent"]["processed"] == 1
        assert answer["recent"]["errors"] == 1

    def test_without_the_broker_the_rest_is_told(
        self, house: House, operator: Caller
    ) -> None:
        house.is_broker_down = True

        answer = operator.get("/health")

        assert answer.status_code == 200
        assert answer.json["queues"] is None

    @staticmethod
    def fill(house: House, organization: tables.Organization) -> None:
        """Let some of everything happen in an organization."""
        name = organization.name
        connection = house.connection(organization, "u1")
        house.connection(organization, "u2", state="paused")
        file(house, organization.id, dead(f"d-{name}"))
        house.services.broker.publish(dead(f"q-{name}"))
        with house.store.begin() as work:
            calendar = store_rows.add_calendar(work, connection)
            for channel_id, state, days in (
                ("live", "open", 1),
                ("late", "open", 0),
                ("gone", "closed", 1),
            ):
                work.channels.add(
                    tables.Channel(
                        id=f"{channel_id}-{name}",
                        calendar_id=calendar.id,
                        state=state,
                        created_at=NOW,
                        expires_at=NOW + timedelta(days=days),
                    )
                )
            work.conflicts.add(
                tables.Conflict(
                    organization_id=organization.id,
                    link_id=store_rows.add_link(work, organization).id,
                    crm_user_id="u1",
                    fields=[],
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            for ago in (timedelta(minutes=59), timedelta(minutes=61)):
                job = work.jobs.start(
                    organization_id=organization.id,
                    connection_id=None,
                    trigger=Trigger.SCHEDULE,
                    direction=Direction.BOTH,
                    now=NOW - ago,
                )
                work.items.record(
                    tables.JobItem(
                        job_id=job.id,
                        organization_id=organization.id,
                        delivery_id="d",
                        action="none",
                        outcome="failed",
                        reason="mapping",
                        attempts=1,
                        at=NOW,
                    )
                )
            work.commit()
