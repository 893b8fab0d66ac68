"""The settings of an organization."""

from collections.abc import Sequence
from http import HTTPMethod
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from shared.adapters.store import tables
from shared.domain import errors, messages
from shared.domain.messages import Trigger
from shared.domain.settings import (
    ConflictPolicy,
    Frequency,
    GuestNotifications,
    Settings,
    SettingsError,
)
from webhook_receiver import identity, looks, problems
from webhook_receiver.api import routes, shapes
from webhook_receiver.services import Services
from webhook_receiver.syncs import Syncs

SCOPE = (
    "task_types",
    "include_all_day",
    "window_past_days",
    "window_future_days",
    "import_private_events",
)
"""What a change of these lets in or out is brought in step at once."""

_DEFAULT = Settings()
_Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 31), shapes.WHOLE]
_Days = Annotated[int, Field(ge=0, le=3660), shapes.WHOLE]
_Choice = Field(strict=False)  # JSON knows choices as texts only
_MOST_TYPES = 100
_BY_TYPE = "Types that are not named keep what they have."
_TYPE_NAME = TypeAdapter(shapes.Text)


class SettingsBody(shapes.Body):
    """What is synced, how often, and who wins; a partial document leaves the rest."""

    frequency: Annotated[Frequency, _Choice] = _DEFAULT.frequency
    task_types: dict[str, bool] = Field(
        default=dict(_DEFAULT.task_types),
        max_length=_MOST_TYPES,
        description=_BY_TYPE,
    )
    create_tasks_from_google: bool = _DEFAULT.create_tasks_from_google
    include_all_day: bool = _DEFAULT.include_all_day
    default_task_type: shapes.Text = Field(
        default=_DEFAULT.default_task_type,
        description="The type of tasks made for events; it must be switched on.",
    )
    default_duration_minutes: dict[str, _Minutes] = Field(
        default=dict(_DEFAULT.default_duration_minutes),
        max_length=_MOST_TYPES,
        description=_BY_TYPE,
    )
    conflict_policy: Annotated[ConflictPolicy, _Choice] = _DEFAULT.conflict_policy
    merge_disjoint_edits: bool = _DEFAULT.merge_disjoint_edits
    guest_notifications: Annotated[GuestNotifications, _Choice] = (
        _DEFAULT.guest_notifications
    )
    import_private_events: bool = _DEFAULT.import_private_events
    window_past_days: _Days = _DEFAULT.window_past_days
    window_future_days: _Days = _DEFAULT.window_future_days
    mass_deletion_limit: Annotated[int, Field(ge=0, le=1_000_000), shapes.WHOLE] = (
        _DEFAULT.mass_deletion_limit
    )

    @field_validator("task_types", "default_duration_minutes")
    @classmethod
    def _check_names(cls, named: dict[str, object]) -> dict[str, object]:
        # Not in the annotation: the document would no longer tell the values' type.
        for name in named:
            _TYPE_NAME.validate_python(name)
        return named


class SettingsOfOrganization:
    """The calls about settings."""

    def __init__(self, services: Services) -> None:
        """Take the store, and what starts repairs."""
        self._store = services.store
        self._syncs = Syncs(services)
        self._broker = services.broker
        self._clock = services.clock

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        for method, view in (
            (HTTPMethod.GET, self.read_settings),
            (HTTPMethod.PUT, self.change_settings),
        ):
            api.add(method, "/settings", view, roles=routes.ADMIN, answer=SettingsBody)

    def read_settings(self) -> SettingsBody:
        """Return the settings of the organization."""
        with self._store.read() as work:
            row = work.organizations.by_id(identity.caller().organization_id)
        return _document(Settings.from_document(row.settings))

    def weigh_settings(self, body: SettingsBody) -> tuple[Settings, Settings]:
        """Return the settings as they are, and as a change would leave them.

        Raises what `change_settings` would refuse the change with; nothing is saved.
        """
        with self._store.read() as work:
            row = work.organizations.by_id(identity.caller().organization_id)
        old = Settings.from_document(row.settings)
        return old, _merged(old, _changes(body))

    def change_settings(self, body: SettingsBody) -> SettingsBody:
        """Change the settings that are named; a change of scope starts repairs."""
        with self._store.begin() as work:
            row = work.organizations.by_id(identity.caller().organization_id)
            before = row.settings
            old = Settings.from_document(before)
            new = _merged(old, _changes(body))
            row.settings = new.to_document()
            is_followed_anew = _begins_to_follow(old, new)
            jobs = []
            if _scope(old) != _scope(new) or is_followed_anew:
                jobs = [
                    self._syncs.open(work, connection, Trigger.REPAIR)
                    for connection in work.connections.active_of(row.id)
                ]
            unwatched = (
                work.channels.watched_of(row.id) if _ends_to_follow(old, new) else []
            )
            work.commit()
        self._queue(jobs, unwatched, row, before)
        return _document(new)

    def _queue(
        self,
        jobs: list[tables.Job],
        unwatched: Sequence[int],
        row: tables.Organization,
        before: dict[str, Any],
    ) -> None:
        """Start the repairs, and have the channels closed of calendars.

        Without them the change is taken back, to be made again.

        A repair that was queued all the same finds nothing to do.
        """
        try:
            self._syncs.queue(jobs)
            # A worker finds that no channel is wanted any more.
            due = [messages.WatchDue(calendar_id=key) for key in unwatched]
            self._broker.publish(
                *looks.messages_for(due, Trigger.SCHEDULE, self._clock)
            )
        except errors.BrokerConnectionError:
            with self._store.begin() as work:
                now = work.organizations.by_id(row.id)
                if now.settings == row.settings:
                    now.settings = before
                work.commit()
            raise


def _changes(body: SettingsBody) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True, mode="json")


def _merged(old: Settings, changes: dict[str, Any]) -> Settings:
    document = old.to_document()
    for name, value in changes.items():
        is_mapping = isinstance(value, dict)
        document[name] = {**document[name], **value} if is_mapping else value
    try:
        # There may be too many types now.
        SettingsBody.model_validate(document)
        return Settings.from_document(document)
    except ValidationError as error:
        routes.refuse(error)
    except SettingsError as error:
        raise problems.invalid(error.problems) from None


def _begins_to_follow(old: Settings, new: Settings) -> bool:
    """Tell whether changes are acted on at once from now on: some wait already."""
    realtime = Frequency.REALTIME
    return old.frequency is not realtime and new.frequency is realtime


def _ends_to_follow(old: Settings, new: Settings) -> bool:
    return _begins_to_follow(new, old)


def _scope(settings: Settings) -> list[Any]:
    document = settings.to_document()
    return [document[name] for name in SCOPE]


def _document(settings: Settings) -> SettingsBody:
    return SettingsBody.model_validate(settings.to_document())
