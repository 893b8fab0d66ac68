"""What a page says, without its tags."""

import html
import re
from datetime import datetime


def text(page: str) -> str:
    """Return the words of a page, with single blanks between them."""
    bare = re.sub(r"<[^>]+>", "", page)
    return " ".join(html.unescape(bare).split())


def moment(at: datetime) -> str:
    """Return a moment as pages show it to somebody in the zone UTC."""
    return f"{at.day} {at:%b %Y, %H:%M}"
