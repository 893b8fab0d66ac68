"""The settings of an organization, as the admin's settings document holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self


class Frequency(StrEnum):
    """How often an organization is synced."""

    REALTIME = "realtime"
    QUARTER_HOURLY = "15min"
    HOURLY = "hourly"
    MANUAL = "manual"


class ConflictPolicy(StrEnum):
    """Who wins when both sides were edited."""

    CRM_WINS = "crm_wins"
    GOOGLE_WINS = "google_wins"
    LAST_MODIFIED_WINS = "last_modified_wins"
    MANUAL = "manual"


class GuestNotifications(StrEnum):
    """Whom Google mails about a live edit."""

    NONE = "none"
    EXTERNAL = "external"
    ALL = "all"

    @property
    def send_updates(self) -> str:
        """The value of Google's `sendUpdates` parameter (fact 131)."""
        return "externalOnly" if self is GuestNotifications.EXTERNAL else self.value


class SettingsError(ValueError):
    """A settings document contradicts itself; `problems` maps fields to sentences."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Take one sentence per field."""
        self.problems = dict(problems)
        super().__init__("; ".join(f"{k}: {v}" for k, v in self.problems.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an admin has chosen; the defaults are the contract's."""

    frequency: Frequency = Frequency.REALTIME
    task_types: Mapping[str, bool] = field(
        default_factory=lambda: {"Meeting": True, "Call": False}
    )
    create_tasks_from_google: bool = True
    include_all_day: bool = False
    default_task_type: str = "Meeting"
    default_duration_minutes: Mapping[str, int] = field(
        default_factory=lambda: {"Meeting": 60, "Call": 30}
    )
    conflict_policy: ConflictPolicy = ConflictPolicy.LAST_MODIFIED_WINS
    merge_disjoint_edits: bool = False
    guest_notifications: GuestNotifications = GuestNotifications.NONE
    import_private_events: bool = False
    window_past_days: int = 30
    window_future_days: int = 90
    mass_deletion_limit: int = 25

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the settings of a partial document; what is absent is the default.

        Raises `SettingsError` when the default task type is switched off, and
        `ValueError` for an unknown choice.
        """
        known = {f.name: document[f.name] for f in fields(cls) if f.name in document}
        choices = {
            "frequency": Frequency,
            "conflict_policy": ConflictPolicy,
            "guest_notifications": GuestNotifications,
        }
        for name, choice in choices.items():
            if name in known:
                known[name] = choice(known[name])
        settings = cls(**known)
        if not settings.is_synced(settings.default_task_type):
            problem = f"the type {settings.default_task_type} is switched off"
            raise SettingsError({"default_task_type": problem})
        return settings

    def to_document(self) -> dict[str, Any]:
        """Return the whole document, as the API answers it."""
        return {
            f.name: dict(value) if isinstance(value, Mapping) else value
            for f in fields(self)
            for value in (getattr(self, f.name),)
        }

    def is_synced(self, task_type: str) -> bool:
        """Tell whether tasks of this type are synced at all."""
        return self.task_types.get(task_type, False)

    def default_duration(self, task_type: str) -> timedelta:
        """How long a task of this type lasts when its user gave no duration."""
        return timedelta(minutes=self.default_duration_minutes.get(task_type, 60))
