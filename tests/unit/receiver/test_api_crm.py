"""The calls about the CRM: where it is, how we get in, and how it reaches us."""

from typing import Any

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import CrmState
from shared.domain import messages
from shared.domain.messages import Queue, Trigger
from tests.unit.receiver.delivering import deliver
from tests.unit.receiver.house import NOW, PUBLIC_URL, SECRET, House, wrong_fields
from webhook_receiver.crm_secrets import SECOND_LOOK


def stored(house: House, acme: tables.Organization) -> tables.Organization:
    """Return what is stored of the organization."""
    with house.found() as work:
        return work.organizations.by_id(acme.id)


class TestCrm:
    """The address and the key."""

    def test_a_crm_is_shown_without_its_secrets(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.user(acme, "u1")

        assert house.caller(acme).get("/crm").json == {
            "crm_url": "https://crm.example/api/v1",
            "state": "unchecked",
            "checked_at": None,
            "users": 1,
            "webhook_url": f"{PUBLIC_URL}/webhooks/crm/acme",
            "webhook_secrets": 1,
            "last_webhook_at": None,
        }

    @pytest.mark.parametrize(
        ("change", "url", "key"),
        [
            ({"api_key": "k2"}, "https://crm.example/api/v1", "k2"),
            ({"crm_url": "https://b.example/v2/"}, "https://b.example/v2", None),
        ],
    )
    def test_what_is_changed_is_unchecked_and_the_rest_stays(
        self, house: House, change: dict[str, Any], url: str, key: str | None
    ) -> None:
        acme = house.organization(
            crm_state=CrmState.VERIFIED, crm_checked_at=NOW, users_read_at=NOW
        )

        answer = house.caller(acme).put("/crm", change)

        row = stored(house, acme)
        assert (answer.status_code, answer.json["state"]) == (200, "unchecked")
        assert (row.crm_url, row.crm_api_key) == (url, key or "key-of-the-crm")
        assert (row.crm_checked_at, row.users_read_at) == (None, None)

    @pytest.mark.parametrize("change", [{}, {"api_key": "key-of-the-crm"}])
    def test_what_is_the_same_stays_checked(
        self, house: House, change: dict[str, Any]
    ) -> None:
        acme = house.organization(crm_state=CrmState.VERIFIED, crm_checked_at=NOW)

        answer = house.caller(acme).put("/crm", change)

        assert answer.json["state"] == "verified"

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({"crm_url": "crm.example"}, ["crm_url"]),
            ({"crm_url": "https://crm.example/?a=b"}, ["crm_url"]),
            ({"crm_url": "https://crm.example/" + "a" * 255}, ["crm_url"]),
            ({"crm_url": None}, ["crm_url"]),
            ({"api_key": ""}, ["api_key"]),
            ({"api_key": 7, "x": 1}, ["api_key", "x"]),
        ],
    )
    def test_a_bad_crm_is_refused_by_field(
        self,
        house: House,
        acme: tables.Organization,
        body: dict[str, Any],
        fields: list[str],
    ) -> None:
        answer = house.caller(acme).put("/crm", body)

        assert answer.status_code == 422
        assert wrong_fields(answer) == fields

    def test_a_check_is_queued_the_quick_way(
        self, house: House, acme: tables.Organization
    ) -> None:
        answer = house.caller(acme).post("/crm/check")

        (message,) = house.queued()
        assert (answer.status_code, answer.json["state"]) == (202, "checking")
        assert message.subject == messages.CheckDue(organization_id=acme.id)
        assert (message.queue, message.trigger) == (Queue.RECORDS, Trigger.MANUAL)

    def test_a_check_that_is_not_queued_leaves_the_state(self, house: House) -> None:
        acme = house.organization(crm_state=CrmState.VERIFIED)
        house.is_broker_down = True

        answer = house.caller(acme).post("/crm/check")

        assert answer.status_code == 503
        assert stored(house, acme).crm_state == CrmState.VERIFIED

    def test_a_test_delivery_to_nobody_is_unreachable(self, house: House) -> None:
        acme = house.organization()

        answer = house.caller(acme).post("/crm/test-delivery")

        assert answer.status_code == 200
        assert set(answer.json) == {"outcome", "status"}


class TestWebhookSecret:
    """The rotation of the webhook secret."""

    def test_both_secrets_are_accepted_until_one_is_kept(
        self, house: House, acme: tables.Organization
    ) -> None:
        caller = house.caller(acme)
        new = caller.post("/crm/webhook-secret").json["secret"]
        house.clock.moment = NOW + SECOND_LOOK

        both = [deliver(house, secret=each).status_code for each in (new, SECRET)]
        answer = caller.post("/crm/webhook-secret/finish", {"keep": "new"})

        assert both == [202, 202]
        assert answer.json["webhook_secrets"] == 1
        assert stored(house, acme).crm_webhook_secrets == [new]

    def test_a_new_secret_that_was_lost_is_dropped(
        self, house: House, acme: tables.Organization
    ) -> None:
        caller = house.caller(acme)
        caller.post("/crm/webhook-secret")

        caller.post("/crm/webhook-secret/finish", {"keep": "old"})

        assert stored(house, acme).crm_webhook_secrets == [SECRET]

    def test_no_secret_is_dropped_by_making_a_third(
        self, house: House, acme: tables.Organization
    ) -> None:
        caller = house.caller(acme)
        caller.post("/crm/webhook-secret")
        before = stored(house, acme).crm_webhook_secrets

        answer = caller.post("/crm/webhook-secret")

        assert answer.status_code == 409
        assert stored(house, acme).crm_webhook_secrets == before

    @pytest.mark.parametrize("keep", ["new", "old"])
    def test_keeping_the_only_secret_changes_nothing(
        self, house: House, acme: tables.Organization, keep: str
    ) -> None:
        house.caller(acme).post("/crm/webhook-secret/finish", {"keep": keep})

        assert stored(house, acme).crm_webhook_secrets == [SECRET]
