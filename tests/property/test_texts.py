"""Texts go there and back without drift, whatever they are."""

from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.domain import text
from tests.property.rewriting import EDITORS
from tests.property.strategies import descriptions, long_texts, texts

editors = st.sampled_from(EDITORS)


@given(texts)
def test_the_kept_form_is_final(written: str) -> None:
    kept = text.canonical(written)

    assert text.canonical(kept) == kept
    assert text.single_line(text.single_line(kept)) == text.single_line(kept)
    kept.encode()


@given(descriptions)
@example("<!-- a --><![CDATA[ b ]]>")
@example("&lt\u037e<b>")
def test_what_is_written_to_google_is_read_as_it_was(written: str) -> None:
    kept = text.canonical(written)

    assert text.from_html(text.to_html(kept)) == kept


@given(descriptions)
def test_anything_that_google_has_is_read_in_the_kept_form(written: str) -> None:
    read = text.from_html(written)

    assert text.canonical(read) == read


@given(descriptions, editors)
def test_saving_in_googles_page_changes_no_text(written: str, editor: object) -> None:
    assert callable(editor)
    kept = text.canonical(written)
    # What stands between these marks is Google's own, whoever wrote it there.
    assume("-::~" not in kept)

    read = text.from_html(editor(kept))

    assert text.comparable(read) == text.comparable(kept)


@given(descriptions, st.lists(editors, max_size=3))
def test_a_text_that_goes_round_and_round_does_not_grow(
    written: str, saved_by: list[object]
) -> None:
    first = read = text.shortened(text.from_html(written))
    for editor in saved_by:
        assert callable(editor)
        read = text.from_html(text.to_html(text.from_html(editor(read))))

    assert text.comparable(read) == text.comparable(first)


@given(st.one_of(texts, long_texts))
def test_what_is_cut_fits_and_is_cut_once(written: str) -> None:
    kept = text.canonical(written)

    cut = text.shortened(kept)

    assert len(text.to_html(cut)) <= text.DESCRIPTION_LIMIT
    assert text.shortened(cut) == cut
    assert text.canonical(cut) == cut


@given(long_texts)
def test_a_cut_keeps_the_beginning(written: str) -> None:
    kept = text.canonical(written)
    cut = text.shortened(kept)
    assume(cut != kept)

    beginning = cut.removesuffix("[...]").rstrip()

    assert kept.startswith(beginning)
    assert len(text.to_html(kept[: len(beginning) + 2000])) > text.DESCRIPTION_LIMIT / 6


@given(texts)
def test_comparing_sees_only_what_is_kept(written: str) -> None:
    assert text.comparable(text.canonical(written)) == text.comparable(written)
