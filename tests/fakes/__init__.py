"""Honest in-memory doubles of both remotes; they pass the real adapters' contracts."""

from tests.fakes.crm import InMemoryCrm
from tests.fakes.google import InMemoryCalendar
from tests.fakes.simulated_crm import SimulatedCrm
from tests.fakes.simulated_google import SimulatedAccount, SimulatedGoogle

__all__ = [
    "InMemoryCalendar",
    "InMemoryCrm",
    "SimulatedAccount",
    "SimulatedCrm",
    "SimulatedGoogle",
]
