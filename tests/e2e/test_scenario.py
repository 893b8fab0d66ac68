"""What users do every day, from each side, on production's services and embedded."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.system import ANN, BEN, CLEO, PEOPLE, Person, System, eventually

SOON_SECONDS = 10.0
_TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
START = _TOMORROW + timedelta(days=1)


def new_task(person: Person, title: str, **fields: object) -> dict[str, Any]:
    """Return the body of a meeting of one hour tomorrow."""
    return {
        "type": "Meeting",
        "title": title,
        "owner_id": person.id,
        "due_at": START.isoformat(),
        "duration_minutes": 60,
        **fields,
    }


def new_event(title: str, start: datetime = START, **fields: object) -> dict[str, Any]:
    """Return the body of an event of one hour."""
    end = start + timedelta(hours=1)
    return {
        "summary": title,
        "start": {"dateTime": start.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": end.isoformat(), "timeZone": "UTC"},
        **fields,
    }


def start_of(event: dict[str, Any]) -> datetime:
    """Return when an event starts."""
    return datetime.fromisoformat(event["start"]["dateTime"])


def guests_of(event: dict[str, Any]) -> set[str]:
    """Return the addresses of an event's guests."""
    return {row["email"] for row in event.get("attendees", ())}


def everybody(check: Callable[[Person], object]) -> None:
    """Wait until something is so for all three users."""
    for person in PEOPLE:
        eventually(lambda p=person: check(p), SOON_SECONDS)  # type: ignore[misc] # mypy sees no default


@pytest.fixture(autouse=True)
def calm(system: System) -> Iterator[None]:
    """Leave the system as it was: default settings, no faults, nothing queued."""
    yield
    system.settings(conflict_policy="last_modified_wins", merge_disjoint_edits=False)
    eventually(system.assert_quiet)


def test_a_task_lives_its_life_in_google_too(system: System) -> None:
    made = {
        p: system.crm_call("POST", "/tasks", new_task(p, f"Life of {p.id}"))
        for p in PEOPLE
    }
    everybody(lambda p: system.event(p, f"Life of {p.id}"))

    for person, task in made.items():
        later = START + timedelta(hours=3)
        fields = {
            "title": f"New life of {person.id}",
            "due_at": later.isoformat(),
            "location": "Room 7",
            "attendees": [{"email": "guest@elsewhere.example"}],
        }
        system.crm_call("PATCH", f"/tasks/{task['id']}", fields)

    def is_changed(person: Person) -> None:
        event = system.event(person, f"New life of {person.id}")
        assert start_of(event) == START + timedelta(hours=3)
        assert event["location"] == "Room 7"
        assert guests_of(event) >= {"guest@elsewhere.example"}

    everybody(is_changed)
    for task in made.values():
        system.crm_call("PATCH", f"/tasks/{task['id']}", {"status": "completed"})
    for task in made.values():
        system.crm_call("DELETE", f"/tasks/{task['id']}")

    def is_gone(person: Person) -> None:
        assert not system.events(person, f"New life of {person.id}")

    everybody(is_gone)


def test_an_event_lives_its_life_in_the_crm_too(system: System) -> None:
    made = {
        p: system.google_call(p, "POST", body=new_event(f"Event of {p.id}"))
        for p in PEOPLE
    }
    everybody(lambda p: system.task(f"Event of {p.id}"))
    assert {system.task(f"Event of {p.id}")["owner_id"] for p in PEOPLE} == {
        p.id for p in PEOPLE
    }

    later = START + timedelta(hours=5)
    for person, event in made.items():
        changes = new_event(f"New event of {person.id}", later, description="<b>Hi</b>")
        system.google_call(person, "PATCH", f"/{event['id']}", changes)

    def is_changed(person: Person) -> None:
        task = system.task(f"New event of {person.id}")
        assert datetime.fromisoformat(task["due_at"]) == later
        assert task["description"] == "Hi"

    everybody(is_changed)
    for person, event in made.items():
        system.google_call(person, "DELETE", f"/{event['id']}")

    def is_cancelled(person: Person) -> None:
        task = system.task(f"New event of {person.id}")
        assert (task["status"], task["deleted"]) == ("cancelled", False)

    everybody(is_cancelled)


def test_a_cancelled_event_that_is_restored_reopens_its_task(system: System) -> None:
    event = system.google_call(ANN, "POST", body=new_event("Phoenix"))
    eventually(lambda: system.task("Phoenix"))
    system.google_call(ANN, "DELETE", f"/{event['id']}")

    def has_status(status: str) -> None:
        assert system.task("Phoenix")["status"] == status

    eventually(lambda: has_status("cancelled"))

    system.google_call(ANN, "PATCH", f"/{event['id']}", {"status": "confirmed"})

    eventually(lambda: has_status("open"))


def test_one_meeting_of_several_users_is_one_task(system: System) -> None:
    guests = [{"email": BEN.account}, {"email": CLEO.account}]
    system.google_call(ANN, "POST", body=new_event("All hands", attendees=guests))

    task = eventually(lambda: system.task("All hands"))

    assert task["owner_id"] == ANN.id
    assert {row["email"] for row in task["attendees"]} == {BEN.email, CLEO.email}
    eventually(system.assert_quiet)
    assert len(system.tasks("All hands")) == 1


@pytest.mark.parametrize(
    ("policy", "winner"),
    [
        ("crm_wins", "crm"),
        ("google_wins", "google"),
        ("last_modified_wins", "google"),
    ],
)
def test_a_policy_settles_a_double_edit(
    system: System, policy: str, winner: str
) -> None:
    title = f"Contested under {policy}"
    system.settings(conflict_policy=policy)
    task = system.crm_call("POST", "/tasks", new_task(ANN, title))
    event = eventually(lambda: system.event(ANN, title))

    with system.paused("work"):
        fields = {"location": f"crm {policy}"}
        system.crm_call("PATCH", f"/tasks/{task['id']}", fields)
        body = {"location": f"google {policy}"}
        system.google_call(ANN, "PATCH", f"/{event['id']}", body)

    def is_settled() -> None:
        places = {system.task(title)["location"], system.event(ANN, title)["location"]}
        assert places == {f"{winner} {policy}"}

    eventually(is_settled)


def test_under_manual_both_sides_stay_and_the_user_is_told_once(
    system: System,
) -> None:
    system.settings(conflict_policy="manual")
    task = system.crm_call("POST", "/tasks", new_task(CLEO, "Contested by hand"))
    event = eventually(lambda: system.event(CLEO, "Contested by hand"))

    with system.paused("work"):
        system.crm_call("PATCH", f"/tasks/{task['id']}", {"location": "crm"})
        system.google_call(CLEO, "PATCH", f"/{event['id']}", {"location": "google"})

    def is_flagged() -> dict[str, Any]:
        rows = system.api("GET", "/conflicts?state=open")["items"]
        found = [row for row in rows if row["task_id"] == task["id"]]
        assert len(found) == 1
        return dict(found[0])

    conflict = eventually(is_flagged)
    eventually(system.assert_quiet)
    assert conflict["fields"] == ["location"]
    assert system.task("Contested by hand")["location"] == "crm"
    assert system.event(CLEO, "Contested by hand")["location"] == "google"
    told = system.crm.ask("notifications", user_id=CLEO.id)["notifications"]
    assert [n["key"] for n in told].count(f"conflict:{conflict['id']}") == 1

    choice = {"fields": {"location": "google"}, "version": conflict["version"]}
    system.api("POST", f"/conflicts/{conflict['id']}/resolve", choice)

    def is_settled() -> None:
        assert system.task("Contested by hand")["location"] == "google"
        rows = system.api("GET", "/conflicts?state=resolved")["items"]
        assert conflict["id"] in {row["id"] for row in rows}

    eventually(is_settled)
    assert system.event(CLEO, "Contested by hand")["location"] == "google"


def test_a_series_is_one_task_for_each_occurrence(system: System) -> None:
    rule = ["RRULE:FREQ=DAILY;COUNT=5"]
    body = new_event("Standup", recurrence=rule)
    series = system.google_call(ANN, "POST", body=body)

    def are_there(count: int, title: str = "Standup") -> list[dict[str, Any]]:
        found = [t for t in system.tasks(title) if t["status"] == "open"]
        assert len(found) == count
        return sorted(found, key=lambda task: task["due_at"])

    tasks = eventually(lambda: are_there(5))
    system.crm_call("PATCH", f"/tasks/{tasks[1]['id']}", {"title": "Retrospective"})
    second = tasks[1]["google_event_id"]

    def is_renamed() -> None:
        event = system.google_call(ANN, "GET", f"/{second}")
        assert event["summary"] == "Retrospective"

    eventually(is_renamed)
    assert system.google_call(ANN, "GET", f"/{series['id']}")["summary"] == "Standup"
    system.google_call(ANN, "DELETE", f"/{tasks[2]['google_event_id']}")
    eventually(lambda: are_there(3))

    system.google.order(
        "split-series",
        calendar=ANN.account,
        event_id=tasks[3]["google_event_id"],
        changes={"summary": "Weekly"},
    )

    followed = eventually(lambda: are_there(2, "Weekly"))
    assert [task["id"] for task in followed] == [task["id"] for task in tasks[3:]]
    eventually(system.assert_quiet)
    assert len(system.tasks("Standup")) == 2


def test_events_that_were_made_here_move_to_another_calendar(system: System) -> None:
    system.crm_call("POST", "/tasks", new_task(BEN, "Moving"))
    eventually(lambda: system.event(BEN, "Moving"))
    team = system.google.order("calendars", account=BEN.account, summary="Team")["id"]
    path = f"/connections/{system.connection(BEN)['id']}"
    before = system.connection(BEN)["calendar_id"]
    # Its calendars are read with every sync.
    system.api("POST", f"{path}/sync")

    def is_known() -> None:
        known = system.api("GET", f"{path}/calendars")["items"]
        assert team in {row["id"] for row in known}

    eventually(is_known)
    assert system.api("GET", f"{path}/move?calendar_id={team}")["moves"] >= 1
    system.api("PATCH", path, {"calendar_id": team})

    def has_moved() -> None:
        assert not system.events(BEN, "Moving")

    eventually(has_moved)
    eventually(system.assert_quiet)
    system.api("PATCH", path, {"calendar_id": before})
    eventually(lambda: system.event(BEN, "Moving"))
    eventually(system.assert_quiet)
    assert len(system.tasks("Moving")) == 1


def test_whoever_leaves_has_the_events_removed_that_were_made_here(
    system: System,
) -> None:
    system.crm_call("POST", "/tasks", new_task(CLEO, "Made here"))
    system.google_call(CLEO, "POST", body=new_event("Made there"))
    eventually(lambda: system.event(CLEO, "Made here"))
    eventually(lambda: system.task("Made there"))
    eventually(system.assert_quiet)

    connection_id = system.connection(CLEO)["id"]
    system.api("DELETE", f"/connections/{connection_id}?events=remove")

    def has_left() -> None:
        assert system.connection(CLEO)["state"] == "disconnected"

    eventually(has_left)
    assert not system.events(CLEO, "Made here")
    assert system.event(CLEO, "Made there")
    assert system.task("Made here")["status"] == "open"

    system.connect(CLEO)
    eventually(lambda: system.event(CLEO, "Made here"))
    eventually(system.assert_quiet)
    assert len(system.tasks("Made there")) == 1


def test_an_edit_in_the_crm_costs_one_write_to_google_and_no_read(
    system: System,
) -> None:
    task = system.crm_call("POST", "/tasks", new_task(BEN, "Cheap"))
    eventually(lambda: system.event(BEN, "Cheap"))
    eventually(system.assert_quiet)
    mark = system.mark()

    system.crm_call("PATCH", f"/tasks/{task['id']}", {"title": "Cheaper"})

    eventually(lambda: system.event(BEN, "Cheaper"))
    eventually(system.assert_quiet)
    # What is left is the list that Google's notification of our own write asks for.
    asked = [operation for operation in mark.google() if operation != "events.list"]
    assert asked == ["events.patch"]


def test_an_edit_in_google_costs_one_list_and_one_write_to_the_crm(
    system: System,
) -> None:
    event = system.google_call(BEN, "POST", body=new_event("Thrifty"))
    eventually(lambda: system.task("Thrifty"))
    eventually(system.assert_quiet)
    mark = system.mark()

    system.google_call(BEN, "PATCH", f"/{event['id']}", {"summary": "Thriftier"})

    eventually(lambda: system.task("Thriftier"))
    eventually(system.assert_quiet)
    assert mark.google() == ["events.list"]
    writes = [r for r in mark.crm() if not r.startswith("GET ")]
    assert [r.split()[0] for r in writes] == ["PATCH"]
