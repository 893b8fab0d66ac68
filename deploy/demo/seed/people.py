"""The people of the demo."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the CRM with a Google account; the addresses may differ."""

    id: str
    name: str
    email: str
    google_account: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the person's days are planned in."""
        return ZoneInfo(self.time_zone)


ANNA = Person(
    id="anna",
    name="Anna Berger",
    email="anna.berger@fjord.example",
    google_account="anna.berger@fjord.example",
    time_zone="Europe/Berlin",
)
BEN = Person(
    id="ben",
    name="Ben Carter",
    email="ben.carter@fjord.example",
    google_account="bcarter.nyc@mail.example",
    time_zone="America/New_York",
)
CHITRA = Person(
    id="chitra",
    name="Chitra Rao",
    email="chitra.rao@fjord.example",
    google_account="chitra.rao@fjord.example",
    time_zone="Asia/Kolkata",
)
PEOPLE: Sequence[Person] = (ANNA, BEN, CHITRA)
