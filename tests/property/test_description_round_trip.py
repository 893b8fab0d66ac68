"""Descriptions go to Google and come back without drift."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import text


@given(st.text())
def test_a_text_written_to_google_reads_back_as_it_is_kept(plain: str) -> None:
    kept = text.canonical(plain)

    assert text.from_html(text.to_html(plain)) == kept


@given(st.text())
def test_the_kept_form_of_a_text_is_stable(plain: str) -> None:
    kept = text.canonical(plain)

    assert text.canonical(kept) == kept
