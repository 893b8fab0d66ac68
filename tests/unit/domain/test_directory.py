"""Who is who on both sides."""

import pytest

from shared.domain.mapping import Directory
from shared.domain.mapping.directory import address
from shared.domain.model import Address, User
from tests.unit.domain.records import ANN, BOB, CY, DIRECTORY


def user(name: str, email: str, google: str | None = None) -> User:
    """Return a user of the CRM."""
    at_google = Address(google) if google else None
    return User(id=name, email=Address(email), google=at_google)


@pytest.mark.parametrize(
    "written", ["eve@x.example", "Eve@X.example", " EVE@x.example\n"]
)
def test_an_address_is_compared_in_one_form(written: str) -> None:
    assert address(written) == "eve@x.example"


def test_a_user_is_found_by_id() -> None:
    assert DIRECTORY.user("ann") == ANN
    assert DIRECTORY.user("nobody") is None


def test_a_user_has_all_addresses_of_both_sides() -> None:
    assert DIRECTORY.addresses_of("ann") == {ANN.email, ANN.google}
    assert DIRECTORY.addresses_of("cy") == {CY.email}
    assert DIRECTORY.addresses_of("nobody") == frozenset()


def test_addresses_are_translated_between_the_sides() -> None:
    assert DIRECTORY.in_crm(Address("bob@google.example")) == BOB.email
    assert DIRECTORY.in_google(BOB.email) == BOB.google


@pytest.mark.parametrize("known", ["cy@crm.example", "eve@guest.example"])
def test_an_address_that_is_the_same_on_both_sides_stays(known: str) -> None:
    assert DIRECTORY.in_crm(Address(known)) == known
    assert DIRECTORY.in_google(Address(known)) == known


def test_users_may_be_written_in_any_case() -> None:
    directory = Directory.of([user("dee", "Dee@CRM.example", "DEE@google.example")])

    assert directory.addresses_of("dee") == {"dee@crm.example", "dee@google.example"}
    assert directory.in_crm(Address("dee@google.example")) == "dee@crm.example"
    assert directory.in_google(Address("dee@crm.example")) == "dee@google.example"


def test_an_address_of_the_crm_means_its_owner_on_both_sides() -> None:
    dee = user("dee", "dee@crm.example", "eli@crm.example")
    eli = user("eli", "eli@crm.example", "eli@google.example")

    directory = Directory.of([dee, eli])

    assert directory.in_crm(Address("eli@google.example")) == "eli@crm.example"
    assert directory.in_crm(Address("eli@crm.example")) == "eli@crm.example"
    assert directory.in_google(Address("dee@crm.example")) == "dee@crm.example"
    assert directory.addresses_of("dee") == {"dee@crm.example", "eli@crm.example"}


def test_a_directory_may_be_empty() -> None:
    directory = Directory.of(())

    assert directory.in_crm(BOB.email) == directory.in_google(BOB.email) == BOB.email
