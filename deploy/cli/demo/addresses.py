"""Where the parts of the demo listen: on three ports of this machine."""

from dataclasses import dataclass
from typing import Self

from deploy.cli import listening
from shared.domain import errors

HOST = "127.0.0.1"
"""As a number: names of this machine may lead to other servers on the same port."""

HIGHEST_BASE = 65533


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses of the parts, by their ports."""

    receiver_port: int
    google_port: int
    crm_port: int

    @classmethod
    def in_a_row(cls, first: int) -> Self:
        """Return the addresses that begin with a port."""
        return cls(receiver_port=first, google_port=first + 1, crm_port=first + 2)

    @property
    def receiver(self) -> str:
        """The receiver's root."""
        return f"http://{HOST}:{self.receiver_port}"

    @property
    def google(self) -> str:
        """The simulated Google's root."""
        return f"http://{HOST}:{self.google_port}"

    @property
    def crm(self) -> str:
        """The simulated CRM's root."""
        return f"http://{HOST}:{self.crm_port}"

    def check(self) -> None:
        """Raise `ConfigurationError` with every port that is in use."""
        problems: list[str] = []
        for port in (self.receiver_port, self.google_port, self.crm_port):
            try:
                listening.bound(HOST, port, "--port-base").close()
            except errors.ConfigurationError as error:
                problems += error.problems
        if problems:
            raise errors.ConfigurationError(problems)
