"""A small world for the workers: what people do in it, and what there is afterwards."""

from typing import Any

from shared.adapters.store import JobFilter, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import model
from shared.domain.messages import Trigger
from tests import fakes
from tests.unit.workers.machinery import Machinery


class World(Machinery):
    """The organization `acme`, whose users are connected unless told otherwise."""

    # -- what people do -----------------------------------------------------------

    def add_task(self, **fields: Any) -> model.Document:  # noqa: ANN401 - any field
        """Create a meeting of Ann's in the CRM, and let its webhook arrive."""
        task = self.crm_side.add(
            **{
                "title": "Plan",
                "owner_id": "ann",
                "due_at": "2026-03-03T10:00:00Z",
                "duration_minutes": 30,
                **fields,
            }
        )
        self.task_changed(task)
        return task

    def edit_task(self, task_id: str, **fields: object) -> model.Document:
        """Change a task in the CRM, and let its webhook arrive."""
        self.pass_time()
        task = self.crm_side.edit(task_id, **fields)
        self.task_changed(task)
        return task

    def remove_task(self, task_id: str) -> None:
        """Delete a task in the CRM, and let its webhook arrive."""
        self.pass_time()
        self.crm_side.remove(task_id)
        self.task_changed(self.crm_side.task(task_id))

    def add_event(
        self, event_id: str = "fromgoogle", name: str = "ann", **fields: object
    ) -> model.Document:
        """Create an event in somebody's calendar, and let Google tell us."""
        event = self.accounts[name].create(event_id, **{"summary": "Lunch", **fields})
        self.calendar_changed(name)
        return event

    def edit_event(
        self, event_id: str, name: str = "ann", **fields: object
    ) -> model.Document:
        """Change an event in somebody's calendar, and let Google tell us."""
        self.pass_time()
        event = self.accounts[name].edit(event_id, **fields)
        self.calendar_changed(name)
        return event

    def remove_event(self, event_id: str, name: str = "ann") -> None:
        """Delete an event in somebody's calendar, and let Google tell us."""
        self.edit_event(event_id, name, status="cancelled")

    # -- what there is ------------------------------------------------------------

    @property
    def ann(self) -> fakes.InMemoryCalendar:
        """Ann's calendars."""
        return self.accounts["ann"]

    @property
    def ben(self) -> fakes.InMemoryCalendar:
        """Ben's calendars."""
        return self.accounts["ben"]

    def only_event(self, name: str = "ann") -> model.Document:
        """Return the one live event of an account."""
        (event,) = self.accounts[name].live_events()
        return event

    def only_task(self) -> model.Document:
        """Return the one task that is not deleted."""
        (task,) = self.crm_side.live_tasks()
        return task

    def only_link(self) -> tables.Link:
        """Return the link of the only task."""
        with self.store.read() as work:
            link = work.links.of_task(self.organization.id, self.only_task()["id"])
        assert link is not None
        return link

    def connection(self, name: str = "ann") -> tables.Connection:
        """Return somebody's connection."""
        with self.store.read() as work:
            found = work.connections.of_user(self.organization.id, name)
        assert found is not None
        return found

    def change_connection(self, name: str = "ann", **columns: object) -> None:
        """Change the row of somebody's connection."""
        with self.store.begin() as work:
            row = work.connections.by_id(self.connection(name).id)
            for column, value in columns.items():
                setattr(row, column, value)
            work.commit()

    def reconnect(self, name: str = "ann") -> None:
        """Let somebody connect again, and what waited for that run."""
        self.accounts[name].work_again()
        self.refusals.pop(name, None)
        now = self.clock.now()
        self.change_connection(
            name,
            state=ConnectionState.ACTIVE,
            problem=None,
            consented_at=now,
            connected_at=now,
        )
        self.sync_all(self.connection(name).id, Trigger.REPAIR)

    def calendar(self, name: str = "ann") -> tables.Calendar:
        """Return the calendar that somebody syncs."""
        with self.store.read() as work:
            found = work.calendars.selected_of(self.connection(name).id)
        assert found is not None
        return found

    def channels(self, name: str = "ann") -> list[tables.Channel]:
        """Return the channels that count as open on somebody's calendar."""
        with self.store.read() as work:
            return list(work.channels.open_of(self.calendar(name).id))

    def conflicts(self) -> list[tables.Conflict]:
        """Return the conflicts, oldest first."""
        with self.store.read() as work:
            page = work.conflicts.page(self.organization.id, limit=100)
        return list(reversed(page.rows))

    def dead_letters(self) -> list[tables.DeadLetter]:
        """Return the dead letters that were filed, oldest first."""
        with self.store.read() as work:
            page = work.dead_letters.page(None, limit=100)
        return list(reversed(page.rows))

    def jobs(self) -> list[tables.Job]:
        """Return the jobs, oldest first."""
        with self.store.read() as work:
            page = work.jobs.page(self.organization.id, JobFilter(), limit=1000)
        return list(reversed(page.rows))

    def items(self) -> list[tables.JobItem]:
        """Return the history, oldest first."""
        jobs = self.jobs()
        with self.store.read() as work:
            found = [
                item
                for job in jobs
                for item in work.items.page_of_job(job.id, limit=1000).rows
            ]
        return sorted(found, key=lambda item: item.id)

    def last_item(self) -> tables.JobItem:
        """Return the newest line of the history."""
        return self.items()[-1]

    def reasons(self) -> list[str]:
        """Return the reason of each line of the history, oldest first."""
        return [item.reason for item in self.items()]
