"""What the doctor finds: things that are well, remarks, and problems to mend."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, but nothing that an operator can mend."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's report; `remedy` says what to do."""

    level: Level
    subject: str
    text: str
    remedy: str = ""

    def to_document(self) -> dict[str, str]:
        """Return the finding as JSON has it."""
        return asdict(self)


def ok(subject: str, text: str) -> Finding:
    """Return a finding that something is well."""
    return Finding(level=Level.OK, subject=subject, text=text)


def note(subject: str, text: str, remedy: str = "") -> Finding:
    """Return a remark."""
    return Finding(level=Level.NOTE, subject=subject, text=text, remedy=remedy)


def problem(subject: str, text: str, remedy: str) -> Finding:
    """Return a problem, with what to do."""
    return Finding(level=Level.PROBLEM, subject=subject, text=text, remedy=remedy)
