"""Honest in-memory doubles of both remotes; they pass the real adapters' contracts."""

from tests.fakes.crm import InMemoryCrm
from tests.fakes.google import InMemoryCalendar

__all__ = ["InMemoryCalendar", "InMemoryCrm"]
