"""What the workers run on in their tests: a store, a broker, both remotes, and time."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from deploy import migrations
from shared.adapters import crypto
from shared.adapters.store import Store, tables
from shared.domain import errors, messages, model
from shared.domain.messages import Message, Queue, Trigger
from tests import clocks, fakes, store_rows
from tests.fakes.broker import InMemoryBroker
from workers.consumer import Dispatcher
from workers.deaths import Deaths
from workers.periodic import Periodic
from workers.services import Services

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PUBLIC_URL = "https://sync.example.com"
PEOPLE = ("ann", "ben", "cleo")
TICK = timedelta(seconds=1)
"""How far apart two edits by people are."""


class Killed(BaseException):
    """The worker's process dies here."""


@dataclass(slots=True, kw_only=True)
class Outside:
    """The remotes, and the time that passes for all."""

    clock: clocks.SettableClock
    crm: fakes.InMemoryCrm
    accounts: dict[str, fakes.InMemoryCalendar]

    @classmethod
    def simulated(cls, *, time_zone: str = "UTC") -> Self:
        """Return both simulators in process: no tasks, and empty calendars."""
        clock = clocks.SettableClock(NOW)
        google = fakes.SimulatedGoogle(clock)
        accounts: dict[str, fakes.InMemoryCalendar] = {
            name: google.account(clock, f"{name}@gmail.com", time_zone=time_zone)
            for name in PEOPLE
        }
        return cls(
            clock=clock,
            crm=fakes.SimulatedCrm(clock, users=[_user(name) for name in PEOPLE]),
            accounts=accounts,
        )

    @classmethod
    def empty(cls) -> Self:
        """Return a CRM without tasks and empty calendars."""
        clock = clocks.SettableClock(NOW)
        return cls(
            clock=clock,
            crm=fakes.InMemoryCrm(clock, users=[_user(name) for name in PEOPLE]),
            accounts={
                name: fakes.InMemoryCalendar(clock, address=f"{name}@gmail.com")
                for name in PEOPLE
            },
        )


class Database:
    """A database that begins anew as often as a test likes, in milliseconds.

    The store stays the same, and with it the statements that its engine has compiled.
    """

    def __init__(self, folder: Path) -> None:
        """Make an empty one with the newest schema."""
        self._folder = folder
        empty = _store(folder / "empty.db")
        migrations.upgrade(empty.engine)
        empty.close()
        self.store = _store(folder / "sync.db")

    def begin_anew(self, name: str = "empty") -> Store:
        """Return the store as it was when it was kept under a name, empty at first."""
        self._rest()
        for leftover in self._folder.glob("sync.db*"):
            leftover.unlink()
        shutil.copyfile(self._folder / f"{name}.db", self._folder / "sync.db")
        return self.store

    def keep(self, name: str) -> None:
        """Keep the store as it is now, to begin with it again."""
        self._rest()
        shutil.copyfile(self._folder / "sync.db", self._folder / f"{name}.db")

    def _rest(self) -> None:
        # The last connection to close writes everything into the one file.
        self.store.engine.dispose()


def _store(path: Path) -> Store:
    return Store(f"sqlite:///{path}", keys=crypto.Keys([store_rows.KEY]))


class Machinery:
    """The organization `acme`, its CRM, and the Google accounts of its users."""

    def __init__(self, store: Store, outside: Outside) -> None:
        """Begin with what is in the store and outside of it."""
        self.store = store
        self.outside = outside
        self.clock = outside.clock
        self.crm_side = outside.crm
        self.accounts = outside.accounts
        self.broker = InMemoryBroker(self.clock)
        self.revoked: list[str] = []
        """Whose grants were ended."""
        self.revocation_fails: Exception | None = None
        self.refusals: dict[str, Exception] = {}
        """What getting somebody's calendars raises."""
        self.services = Services(
            store=self.store,
            broker=self.broker,
            remotes=self,
            clock=self.clock,
            public_url=PUBLIC_URL,
            channel_key=b"k" * 32,
        )
        self.dispatcher = Dispatcher(self.services)
        self.deaths = Deaths(self.store, self.clock)
        self.periodic = Periodic(self.services)
        self._queued = 0
        with self.store.begin() as work:
            known = work.organizations.by_name("acme")
            self.organization = known or store_rows.add_organization(work)
            self.organization.created_at = NOW
            work.commit()

    # -- the remotes --------------------------------------------------------------

    def google(self, connection: tables.Connection) -> fakes.InMemoryCalendar:
        """Return somebody's calendars."""
        if connection.crm_user_id in self.refusals:
            raise self.refusals[connection.crm_user_id]
        return self.accounts[connection.crm_user_id]

    def revoke(self, connection: tables.Connection) -> None:
        """Note whose grant was ended."""
        if self.revocation_fails is not None:
            raise self.revocation_fails
        self.revoked.append(connection.crm_user_id)

    def crm(self, organization: tables.Organization) -> fakes.InMemoryCrm:
        """Return the CRM."""
        assert organization.id == self.organization.id
        return self.crm_side

    def be_down(
        self, name: str = "ann", *, times: int = 1, on: str | None = None
    ) -> None:
        """Let the next calls of somebody's calendars fail as in an outage."""
        outage = [errors.RemoteUnavailableError() for _ in range(times)]
        self.accounts[name].fail_next(*outage, on=on)

    def forget_calls(self) -> None:
        """Count remote calls from now on."""
        self.crm_side.calls.clear()
        for account in self.accounts.values():
            account.calls.clear()
            account.sent_updates.clear()

    # -- connections --------------------------------------------------------------

    def connect(self, name: str) -> int:
        """Connect somebody and let the first sync run; return the connection's id."""
        connection_id = self.store_connection(name)
        self.sync_all(connection_id, Trigger.BACKFILL)
        return connection_id

    def store_connection(self, name: str) -> int:
        """Store somebody's connection, whose first sync is still to come."""
        with self.store.begin() as work:
            connection = store_rows.add_connection(
                work,
                self.organization,
                name,
                google_sub=f"sub-{name}",
                google_address=f"{name}@gmail.com",
                connected_at=self.clock.now(),
            )
            work.commit()
        return connection.id

    def sync_all(self, connection_id: int, trigger: Trigger) -> None:
        """Let a whole connection be brought in step."""
        due = messages.ConnectionDue(connection_id=connection_id)
        self.queue(Queue.BACKFILL, due, trigger)
        self.settle()

    def repair_later(self, name: str) -> None:
        """Queue a repair of somebody's connection, as a change of scope does."""
        with self.store.read() as work:
            connection = work.connections.of_user(self.organization.id, name)
        assert connection is not None
        due = messages.ConnectionDue(connection_id=connection.id)
        self.queue(Queue.BACKFILL, due, Trigger.REPAIR)

    def settings(self, **changes: object) -> None:
        """Change the organization's settings."""
        with self.store.begin() as work:
            row = work.organizations.by_id(self.organization.id)
            row.settings = {**row.settings, **changes}
            work.commit()

    # -- messages -----------------------------------------------------------------

    def queue(
        self,
        queue: Queue,
        subject: messages.Subject,
        trigger: Trigger = Trigger.WEBHOOK,
        *,
        job_id: int | None = None,
    ) -> None:
        """Queue a message."""
        self._queued += 1
        self.broker.publish(
            Message(
                id=f"m{self._queued}",
                queue=queue,
                subject=subject,
                trigger=trigger,
                queued_at=self.clock.now(),
                job_id=job_id,
            )
        )

    def task_changed(self, task: model.Document) -> None:
        """Let the webhook of a change arrive."""
        changed = messages.TaskChanged(
            organization=self.organization.name,
            task_id=task["id"],
            version=task["version"],
            owner_id=task["owner_id"],
        )
        self.queue(Queue.CRM_CHANGES, changed)

    def calendar_changed(self, name: str = "ann") -> None:
        """Let Google's notification arrive on all channels of an account."""
        for channel_id, channel in self.accounts[name].channels.items():
            notified = messages.ChannelNotified(
                channel_id=channel_id,
                resource_id=channel["resource_id"],
                resource_state="exists",
            )
            self.queue(Queue.GOOGLE_CHANGES, notified)

    def settle(
        self,
        *,
        patience: timedelta = timedelta(seconds=5),
        pick: Callable[[int], int] = int,
    ) -> None:
        """Let everything run that is due, now or soon, and file what dies."""
        until = self.clock.now() + patience
        self.broker.run(self.dispatcher, pick)
        while (wait := self.broker.wait_seconds()) and (
            self.clock.now() + timedelta(seconds=wait) <= until
        ):
            self.pass_time(timedelta(seconds=wait))
            self.broker.run(self.dispatcher, pick)
        while self.broker.dead:
            self.deaths(self.broker.dead.pop(0))

    def crash(self) -> None:
        """Let everything run that is due, until a call raises `Killed`."""
        try:
            self.broker.run(self.dispatcher)
        except Killed:
            return
        text = "nothing killed the worker"
        raise AssertionError(text)

    def poll(self) -> None:
        """Let both sides be polled, as the safety poll does, and settle."""
        self.pass_time(timedelta(seconds=self.services.safety_poll_seconds))
        self.periodic.round()
        self.settle()

    def pass_time(self, span: timedelta = TICK) -> None:
        """Let time pass."""
        self.clock.moment += span


def _user(name: str) -> model.User:
    email = model.Address(f"{name}@example.com")
    return model.User(id=name, email=email, time_zone="UTC")
