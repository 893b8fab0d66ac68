"""Consents of those who consented before, and of the organization itself."""

from shared.adapters.store import tables
from shared.domain.messages import Trigger
from tests import google_oauth_stub, store_rows
from tests.unit.receiver.consenting import come_back, connect, connection_of, consent
from tests.unit.receiver.house import API, NOW, House, query_of

CALLBACK = f"{API}/callback"


class TestConnectingAgain:
    """One connection for each user, whatever came before."""

    def test_the_same_account_takes_up_what_there_was(
        self, house: House, acme: tables.Organization
    ) -> None:
        before = house.connection(
            acme, google_sub="1042", state="disconnected", last_sync_at=NOW
        )
        with house.store.begin() as work:
            work.calendars.add(
                tables.Calendar(
                    connection_id=before.id,
                    google_sub="1042",
                    google_calendar_id="ann",
                    summary="Ann",
                    time_zone="UTC",
                    access_role="owner",
                    is_selected=True,
                )
            )
            work.commit()

        consent(house, house.signed_in(acme))

        row = connection_of(house, acme)
        with house.found() as work:
            selected = work.calendars.selected_of(row.id)
        assert (row.id, row.state) == (before.id, "active")
        assert selected is not None
        assert [m.trigger for m in house.queued()] == [Trigger.REPAIR]

    def test_another_account_has_calendars_of_its_own(
        self, house: House, acme: tables.Organization
    ) -> None:
        before = house.connection(acme, google_sub="1001", last_sync_at=NOW)
        with house.store.begin() as work:
            calendar = store_rows.add_calendar(work, before)
            work.channels.add(
                tables.Channel(
                    id="c1", calendar_id=calendar.id, state="open", created_at=NOW
                )
            )
            work.commit()

        consent(house, house.signed_in(acme))

        row = connection_of(house, acme)
        with house.found() as work:
            selected = work.calendars.selected_of(row.id)
            kept = work.calendars.get(calendar.id)
            channels = work.channels.open_of(calendar.id)
        assert (row.id, row.google_sub) == (before.id, "1042")
        assert (selected, channels) == (None, [])
        assert kept is not None
        assert [m.trigger for m in house.queued()] == [Trigger.BACKFILL]

    def test_the_account_of_before_is_offered_first(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.connection(acme, google_address="ann@gmail.example")

        asked = connect(house.signed_in(acme))

        assert asked["login_hint"] == "ann@gmail.example"


class TestGoogleApp:
    """The consent of the organization itself."""

    def test_it_verifies_the_app_and_connects_nobody(
        self, house: House, acme: tables.Organization
    ) -> None:
        caller = house.caller(acme)
        url = caller.post("/google-app/connect").json["authorization_url"]
        house.google.answer(google_oauth_stub.token_answer())

        answer = come_back(house.browser(), state=query_of(url)["state"], code="4/code")

        app = caller.get("/google-app").json
        assert answer.status_code == 200
        assert "accepts" in answer.text
        assert (app["state"], app["connected_as"]) == ("verified", "ann@example.com")
        assert app["checked_at"] == NOW.isoformat().replace("+00:00", "Z")
        assert caller.get("/connections").json["items"] == []
        assert house.queued() == []
