"""How the CRM's webhook secrets are kept and rotated."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.store import tables
from shared.domain import signing
from tests.unit.receiver import house as houses
from tests.unit.receiver.delivering import deliver, lose_organizations
from tests.unit.receiver.house import NOW, SECRET, House
from webhook_receiver import crm_secrets


@pytest.fixture
def house(migrated: Path, tmp_path: Path) -> Iterator[House]:
    """Return a receiver that keeps no secrets from another test."""
    with houses.standing(tmp_path / "store.db") as house:
        house.move_into(migrated)
        yield house


class TestSecrets:
    """How secrets are kept and rotated."""

    @staticmethod
    def rotate(house: House, acme: tables.Organization, *secrets: str) -> None:
        """Give the organization other secrets."""
        with house.store.begin() as work:
            work.organizations.by_id(acme.id).crm_webhook_secrets = list(secrets)
            work.commit()

    @pytest.mark.usefixtures("acme")
    def test_a_second_webhook_needs_no_database(self, house: House) -> None:
        deliver(house)
        lose_organizations(house)

        assert deliver(house).status_code == 202

    @pytest.mark.usefixtures("acme")
    def test_webhooks_are_taken_while_the_database_is_away(self, house: House) -> None:
        deliver(house)
        lose_organizations(house)
        house.clock.moment = NOW + crm_secrets.KEPT

        assert deliver(house).status_code == 202

    @pytest.mark.usefixtures("acme")
    def test_without_database_and_memory_the_sender_is_asked_to_come_again(
        self, house: House
    ) -> None:
        lose_organizations(house)

        assert deliver(house).status_code == 503

    def test_a_new_secret_is_accepted_at_once(
        self, house: House, acme: tables.Organization
    ) -> None:
        new = signing.new_secret(b"n" * 24)
        deliver(house)
        self.rotate(house, acme, new, SECRET)
        house.clock.moment = NOW + crm_secrets.SECOND_LOOK

        assert deliver(house, secret=new).status_code == 202
        assert deliver(house, secret=SECRET).status_code == 202

    def test_bad_signatures_do_not_make_us_look_every_time(
        self, house: House, acme: tables.Organization
    ) -> None:
        new = signing.new_secret(b"n" * 24)
        deliver(house)
        house.clock.moment = NOW + crm_secrets.SECOND_LOOK
        deliver(house, secret=signing.new_secret(b"x" * 24))
        self.rotate(house, acme, new)

        assert deliver(house, secret=new).status_code == 401

    def test_a_secret_that_is_gone_is_refused_soon(
        self, house: House, acme: tables.Organization
    ) -> None:
        deliver(house)
        self.rotate(house, acme, signing.new_secret(b"n" * 24))
        house.clock.moment = NOW + crm_secrets.KEPT

        assert deliver(house).status_code == 401

    def test_a_new_organization_is_known_at_once(self, house: House) -> None:
        first = deliver(house)
        house.organization()
        house.clock.moment = NOW + crm_secrets.SECOND_LOOK

        assert (first.status_code, deliver(house).status_code) == (404, 202)

    def test_names_that_somebody_guesses_do_not_pile_up(self, house: House) -> None:
        secrets = crm_secrets.CrmSecrets(house.store, house.clock)

        for number in range(1100):
            secrets.of(f"guess-{number}")

        assert len(vars(secrets)["_known"]) < 1000
