"""Plain text and Google's HTML descriptions, there and back without drift.

Google Calendar stores what an API client wrote as it is, and HTML after an edit in its
web page (fact 91). The CRM has plain text. `from_html` reads both kinds; `to_html`
writes a text so that `from_html` returns it unchanged.
"""

import html
import re
import unicodedata
from html.parser import HTMLParser

DESCRIPTION_LIMIT = 8192
"""Google takes about this many characters (fact 92)."""

_ELLIPSIS = "\n[...]"
_MARKUP = re.compile(
    r"</?(?:a|b|i|u|p|s|br|div|em|h[1-6]|hr|html|body|head|li|ol|ul|pre|span|strong"
    r"|strike|sub|sup|table|tbody|td|th|thead|tr|blockquote|code|font|html-blob"
    r"|script|style)\b[^<>]*>|&(?:[a-zA-Z][a-zA-Z0-9]*|#[0-9]+|#[xX][0-9a-fA-F]+);",
    re.IGNORECASE,
)
_CONFERENCE = re.compile(r"-::~:~::~[~:]*::-.*?-::~:~::~[~:]*::-", re.DOTALL)
_SCHEME = re.compile(r"^(?:https?://|mailto:|tel:)", re.IGNORECASE)
_INVISIBLE = dict.fromkeys(
    [0xFE0E, 0xFE0F, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD]
)
_TRAILING = re.compile(r"[^\S\n]+$", re.MULTILINE)
_NEWLINES = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f\ud800-\udfff]")
"""With the halves of emoji that systems leave which cut texts by UTF-16 units."""


def canonical(text: str | None) -> str:
    """Return the text as it is kept: NFC, LF line ends, no blanks at line ends."""
    plain = _NEWLINES.sub("\n", text or "").replace("\xa0", " ")
    plain = _CONTROLS.sub("", plain)
    return unicodedata.normalize("NFC", _TRAILING.sub("", plain).strip())


def single_line(text: str | None) -> str:
    """Return the canonical text with all white space folded: for titles."""
    return " ".join(canonical(text).split())


def comparable(text: str) -> str:
    """Return the text without what is rewritten on the way without being a change.

    Emoji variation selectors, joiners and white space differ between systems that mean
    the same text (failure F20).
    """
    return " ".join(canonical(text).translate(_INVISIBLE).split())


def shortened(text: str) -> str:
    """Return the text as it fits into a Google description, marked where it is cut."""
    if len(to_html(text)) <= DESCRIPTION_LIMIT:
        return text
    fits, ends = 0, DESCRIPTION_LIMIT
    while fits < ends:
        middle = (fits + ends + 1) // 2
        if len(to_html(text[:middle] + _ELLIPSIS)) <= DESCRIPTION_LIMIT:
            fits = middle
        else:
            ends = middle - 1
    return canonical(text[:fits] + _ELLIPSIS)


def is_shortened(text: str, whole: str) -> bool:
    """Tell whether a text is what `shortened` left of another, white space apart."""
    kept = comparable(text).removesuffix(_ELLIPSIS.strip()).strip()
    is_marked = kept != comparable(text) and len(to_html(whole)) > DESCRIPTION_LIMIT
    return is_marked and comparable(whole).startswith(kept)


def to_html(text: str) -> str:
    """Return the text as an event's description.

    Text that contains nothing that reads as markup stays as it is, so that API clients
    and notifications show it unescaped.
    """
    plain = canonical(text)
    if _MARKUP.search(plain) is None and _CONFERENCE.search(plain) is None:
        return plain
    escaped = html.escape(plain, quote=False)
    # Between these marks Google keeps text of its own; ours must not look like it.
    return escaped.replace("-::~", "-&#58;:~")


def from_html(description: str | None) -> str:
    """Return the canonical plain text of an event's description."""
    source = _CONFERENCE.sub("", description or "")
    if _MARKUP.search(source) is None:
        return canonical(source)
    reader = _Reader()
    # Nothing in a description is an SGML section, and the parser chokes on most.
    reader.feed(source.replace("<![", "&lt;!["))
    reader.close()
    return canonical("".join(reader.parts))


class _Reader(HTMLParser):
    """Collects the text of the markup that Google's editor produces."""

    _BLOCKS = frozenset({"p", "div", "table", "tr", "blockquote", "pre", "hr"}) | {
        f"h{level}" for level in range(1, 7)
    }

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._numbers: list[int | None] = []
        self._link: tuple[str, int] | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self._silent += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag in {"ul", "ol"}:
            self._numbers.append(0 if tag == "ol" else None)
            self._start_line()
        elif tag == "li":
            self._start_item()
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.parts))
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        elif tag in self._BLOCKS:
            self._start_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._silent = max(0, self._silent - 1)
        elif tag == "a":
            self._end_link()
        elif tag in {"ul", "ol"}:
            if self._numbers:
                self._numbers.pop()
            self._start_line()
        elif tag in self._BLOCKS:
            self._start_line()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)

    def _start_line(self) -> None:
        if "".join(self.parts[-1:])[-1:] not in {"", "\n"}:
            self.parts.append("\n")

    def _start_item(self) -> None:
        self._start_line()
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            self.parts.append("- ")
        else:
            self._numbers[-1] = number + 1
            self.parts.append(f"{number + 1}. ")

    def _end_link(self) -> None:
        if self._link is None:
            return
        address, start = self._link
        shown = "".join(self.parts[start:]).strip()
        if address and _bare(address) != _bare(shown):
            self.parts.append(f" ({address})" if shown else address)
        self._link = None


def _bare(address: str) -> str:
    """Return what is left of an address when it is shown, or was typed, in short."""
    return _SCHEME.sub("", address).rstrip("/")
