"""Plain text and Google's HTML, there and back."""

import pytest

from shared.domain import text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (None, ""),
        ("", ""),
        ("  one  \n two \t\n\n", "one\n two"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        (
            "one\u2028two\u2029three\x0bfour\x0cfive\x85six",
            "one\ntwo\nthree\nfour\nfive\nsix",
        ),
        ("a\xa0b", "a b"),
        ("a\x00b\x1bc\x7fd", "abcd"),
        ("half \ud83d an emoji", "half  an emoji"),
        ("e\x00\u0301", "\u00e9"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("👩‍🚀🍽️", "👩‍🚀🍽️"),
    ],
)
def test_text_is_kept_in_one_form(written: str | None, kept: str) -> None:
    assert text.canonical(written) == kept
    assert text.canonical(kept) == kept


@pytest.mark.parametrize(
    ("written", "title"),
    [("one\r\n  two\tthree ", "one two three"), (None, ""), ("\u3000x\u2003y", "x y")],
)
def test_a_single_line_has_single_blanks(written: str | None, title: str) -> None:
    assert text.single_line(written) == title


# -- to Google --------------------------------------------------------------------


@pytest.mark.parametrize(
    "plain",
    [
        "one\ntwo",
        "1 < 2 & 3 > 2",
        "R&D; AT&T",
        "a <3 b",
        "x <y z> w",
        "<eve@guest.example>",
        "-::~:~::~",
    ],
)
def test_text_that_reads_as_no_markup_is_written_as_it_is(plain: str) -> None:
    written = text.to_html(plain)

    assert written == plain or "&amp;D;" in written
    assert text.from_html(written) == plain


@pytest.mark.parametrize(
    ("plain", "written"),
    [
        ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
        ("5 &lt; 6", "5 &amp;lt; 6"),
        ("&#60; & &x;", "&amp;#60; &amp; &amp;x;"),
        ("one <BR/>\ntwo", "one &lt;BR/&gt;\ntwo"),
    ],
)
def test_text_that_reads_as_markup_is_escaped(plain: str, written: str) -> None:
    assert text.to_html(plain) == written
    assert text.from_html(written) == plain


def test_text_that_looks_like_a_conference_of_googles_is_not_lost() -> None:
    plain = "before -::~:~::~:~::- inside -::~:~::~:~::- after"

    written = text.to_html(plain)

    assert text.from_html(written) == plain


# -- from Google ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        (None, ""),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        (
            "<h1>one</h1>two<h6>three</h6><blockquote>four</blockquote>",
            "one\ntwo\nthree\nfour",
        ),
        ("one<hr>two", "one\ntwo"),
        (
            "<b>bo</b>ld <i>it</i>alic <u>under</u> <span>span</span>",
            "bold italic under span",
        ),
        ("a &lt;b&gt; &amp;amp; &quot;c&quot; &#39;d&#x27;", "a <b> &amp; \"c\" 'd'"),
        ("caf&eacute;&nbsp;&nbsp;here", "caf\u00e9  here"),
        ("<ul><li>one</li><li>two</li></ul>after", "- one\n- two\nafter"),
        ("before<ol><li>one</li><li>two</li></ol>", "before\n1. one\n2. two"),
        (
            "<ol><li>one<ul><li>deep</li></ul></li><li>two</li></ol>",
            "1. one\n- deep\n2. two",
        ),
        ("<li>stray</li></ul>after", "- stray\nafter"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><th>c</th></tr></table>", "a b\n c"),
        ("one<script>alert('<b>')</script><style>p {}</style> two", "one two"),
        ("one</script> <b>two</b>", "one two"),
        ("<html-blob>one<br>two</html-blob>", "one\ntwo"),
        ("<b>one</b><!-- two --><?three?><!DOCTYPE four>", "one"),
        ("<b>open <i>and <u>open", "open and open"),
        ("<b>one</b> < two", "one < two"),
    ],
)
def test_html_becomes_the_text_that_it_shows(html: str | None, plain: str) -> None:
    assert text.from_html(html) == plain


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        (
            '<a href="https://x.example/a">https://x.example/a</a>',
            "https://x.example/a",
        ),
        ('<a href="http://x.example/">x.example</a>', "x.example"),
        ('<a href="https://x.example">the page</a>', "the page (https://x.example)"),
        ('<a href="https://x.example"></a>!', "https://x.example!"),
        ('<a href="mailto:eve@x.example">eve@x.example</a>', "eve@x.example"),
        ('<a href="mailto:eve@x.example">Eve</a>', "Eve (mailto:eve@x.example)"),
        ('<a href="tel:+41">+41</a>', "+41"),
        ("<a>nowhere</a>", "nowhere"),
        ("<a href>nowhere</a>", "nowhere"),
        ("<b>no link</b></a>", "no link"),
    ],
)
def test_links_keep_their_address_where_it_is_not_shown(html: str, plain: str) -> None:
    assert text.from_html(html) == plain


def test_what_google_adds_for_a_conference_is_not_the_users_text() -> None:
    written = (
        "cake<br>-::~:~::~:~:~::-<br>Join with Google Meet: "
        "https://meet.google.com/x<br>-::~:~::~:~:~::-"
    )

    assert text.from_html(written) == "cake"


@pytest.mark.parametrize(
    "html",
    [
        "<b>x</b><![foo[bar]]>",
        "<b>x</b><![CDATA[bar]]>",
        "<b>x</b><![if !mso]>y<![endif]>",
        "<b>x</b><!",
        "<b>x</b></",
        "<b>x</b>&#x110000;&#xd800;",
        "<b " + "x=" * 500,
    ],
)
def test_no_html_is_too_broken_to_be_read(html: str) -> None:
    plain = text.from_html(html)

    assert plain.startswith(("x", "<b"))
    assert text.canonical(plain) == plain


# -- the limit --------------------------------------------------------------------


def test_text_that_fits_stays_whole() -> None:
    plain = "x" * 8192

    assert text.shortened(plain) == plain


@pytest.mark.parametrize(
    "plain",
    ["x" * 8193, "word " * 3000, "<b>" + "&" * 8000, "&" * 8000 + "<b>", "🍽️" * 5000],
    ids=["letters", "words", "markup first", "markup last", "emoji"],
)
def test_text_that_does_not_fit_is_cut_and_marked(plain: str) -> None:
    cut = text.shortened(plain)

    assert 8000 <= len(text.to_html(cut)) <= 8192
    assert cut.endswith("\n[...]")
    assert plain.startswith(cut.removesuffix("\n[...]"))
    assert text.shortened(cut) == cut == text.from_html(text.to_html(cut))


@pytest.mark.parametrize(
    ("one", "other"), [("🍽️", "🍽"), ("a  b", "a\nb"), ("x\u200b", "x"), (" x", "x ")]
)
def test_what_gets_rewritten_on_the_way_is_not_compared(one: str, other: str) -> None:
    assert text.comparable(one) == text.comparable(other)
