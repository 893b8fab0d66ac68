"""The API's reference, as people read it."""

import pytest

from shared.adapters.store import tables
from tests.unit.receiver.house import API, House


@pytest.fixture
def text(house: House, acme: tables.Organization) -> str:
    """Return the page."""
    return house.signed_in(acme).get("/reference").text


def test_every_call_is_there(house: House, text: str) -> None:
    document = house.browser().get(f"{API}/openapi.json").get_json()

    for path, item in document["paths"].items():
        for method in item:
            assert f"<code>{method.upper()} {path}</code>" in text


def test_every_link_leads_somewhere_on_the_page(text: str) -> None:
    names = {part.partition('"')[0] for part in text.split('href="#')[1:]}

    assert names
    for name in names:
        assert f'id="{name}"' in text


def test_types_are_told_in_words(text: str) -> None:
    assert "string (date-time) or null" in text
    assert "list of JobDocument" in text
    assert "One of <code>crm_to_google</code>" in text


def test_texts_have_no_markup_but_code(text: str) -> None:
    assert "<code>X-CSRF-Token</code>" in text
    assert "&lt;br" not in text
    assert "`" not in text


def test_whoever_is_not_signed_in_does_not_read_it(house: House) -> None:
    assert house.browser().get("/reference").status_code == 401
