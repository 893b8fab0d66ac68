"""Bodies that come in pieces, without saying how long they are."""

import io
from typing import Any

from gunicorn.http.errors import (  # type: ignore[import-untyped] # ships no types
    InvalidChunkSize,
)


class Endless(io.RawIOBase):
    """A body that goes on for ever."""

    given = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as io has it
        """Give some more."""
        self.given += len(buffer)
        return len(buffer)


class Malformed(io.RawIOBase):
    """A body whose pieces are not what they should be, as gunicorn tells it."""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, _: Any) -> int:  # noqa: ANN401 - as io has it
        """Fail."""
        raise InvalidChunkSize(b"zz")


def in_pieces(body: io.RawIOBase) -> dict[str, Any]:
    """Return what a server makes of a body without a length."""
    return {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
    }
