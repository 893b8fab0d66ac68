"""A sync can be looked at before it begins."""

from shared.adapters.store import tables
from shared.domain import messages
from shared.domain.access import Problem
from shared.domain.messages import Queue, Trigger
from tests.unit.receiver.consenting import connection_of, consent
from tests.unit.receiver.house import API, NOW, PUBLIC_URL, House, query_of

COUNTS = {
    "google": {"created": 3, "updated": 1, "cancelled": 0},
    "crm": {"created": 5, "updated": 0, "cancelled": 0},
    "linked": 2,
    "guests": 4,
    "mailed": 0,
    "failed": 0,
    "left": [{"reason": "type_switched_off", "count": 7}],
}


class TestPreviews:
    """Asking what a sync would do."""

    def test_whoever_asks_is_answered_by_a_worker(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)

        answer = house.caller(acme).post(f"/connections/{row.id}/preview")

        assert answer.status_code == 202
        assert answer.json["state"] == "running"
        (due,) = house.queued()
        assert due.subject == messages.PreviewDue(connection_id=row.id)
        assert (due.queue, due.trigger) == (Queue.RECORDS, Trigger.MANUAL)

    def test_what_was_found_is_shown(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        self._finish(house, row, counts=COUNTS)

        shown = house.caller(acme).get(f"/connections/{row.id}/preview").json

        assert shown["state"] == "finished"
        (left,) = shown["counts"].pop("left")
        assert left["count"] == 7
        assert left["explanation"] == "Tasks of this type are not synced."
        assert shown["counts"] == {k: v for k, v in COUNTS.items() if k != "left"}

    def test_what_cannot_be_told_says_why(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        self._finish(house, row, error="Google is away.")

        shown = house.caller(acme).get(f"/connections/{row.id}/preview").json

        assert (shown["state"], shown["error"]) == ("failed", "Google is away.")

    def test_where_none_was_asked_for_there_is_none(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)

        answer = house.caller(acme).get(f"/connections/{row.id}/preview")

        assert answer.status_code == 404

    def test_without_access_there_is_nothing_to_look_at(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="needs_reauthorization", problem="revoked")

        answer = house.caller(acme).post(f"/connections/{row.id}/preview")

        assert answer.status_code == 409
        assert house.queued() == []

    def test_one_that_could_not_be_queued_does_not_run_for_ever(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme)
        caller = house.caller(acme)
        house.is_broker_down = True

        answer = caller.post(f"/connections/{row.id}/preview")

        assert answer.status_code == 503
        shown = caller.get(f"/connections/{row.id}/preview").json
        assert shown["state"] == "failed"

    @staticmethod
    def _finish(
        house: House,
        row: tables.Connection,
        *,
        counts: tables.Document | None = None,
        error: str | None = None,
    ) -> None:
        with house.store.begin() as work:
            work.previews.request(row.id, NOW)
            work.previews.finish(row.id, counts=counts, error=error, now=NOW)
            work.commit()


class TestStartingLater:
    """Connecting without a first sync, which begins when it is asked for."""

    def test_nothing_is_synced_when_the_user_comes_back(
        self, house: House, acme: tables.Organization
    ) -> None:
        answer = consent(house, house.signed_in(acme), "?start=later")

        assert answer.headers["Location"] == "/me?notice=not_started"
        row = connection_of(house, acme)
        assert (row.state, row.problem) == ("paused", Problem.NOT_STARTED)
        assert house.queued() == []

    def test_the_api_can_ask_for_it(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.user(acme, "u1")
        body = {"crm_user_id": "u1", "waits_for_start": True}

        url = house.caller(acme).post("/connections", body).json["authorization_url"]

        assert query_of(url)["redirect_uri"].startswith(PUBLIC_URL + API)

    def test_it_can_be_looked_at_first(
        self, house: House, acme: tables.Organization
    ) -> None:
        row = house.connection(acme, state="paused", problem=Problem.NOT_STARTED)

        answer = house.caller(acme).post(f"/connections/{row.id}/preview")

        assert answer.status_code == 202

    def test_sync_now_starts_it(self, house: House, acme: tables.Organization) -> None:
        row = house.connection(acme, state="paused", problem=Problem.NOT_STARTED)

        job = house.caller(acme).post(f"/connections/{row.id}/sync").json

        assert job["trigger"] == "backfill"
        started = connection_of(house, acme)
        assert (started.state, started.problem) == ("active", None)
        (due,) = house.queued()
        assert due.subject == messages.ConnectionDue(connection_id=row.id)

    def test_whoever_was_synced_before_just_goes_on(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(
            acme, state="disconnected", google_sub="1042", last_sync_at=NOW
        )

        consent(house, house.signed_in(acme), "?start=later")

        assert connection_of(house, acme).state == "active"
