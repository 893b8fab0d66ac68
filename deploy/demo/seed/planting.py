"""Plants people, tasks and events in simulators that nobody is connected to yet."""

from datetime import datetime

from deploy.demo.seed import calls, events, people, tasks


def plant(google: calls.Server, crm: calls.Server, now: datetime) -> None:
    """Plant everything, as seen from this moment."""
    for person in people.PEOPLE:
        _plant_person(google, crm, person)
    for person, event in events.bodies(now):
        body = {"calendar": person.google_account, "event": event}
        google.post("/_admin/events", body)
    _plant_tasks(crm, now)


def _plant_person(
    google: calls.Server, crm: calls.Server, person: people.Person
) -> None:
    account = {
        "address": person.google_account,
        "name": person.name,
        "time_zone": person.time_zone,
    }
    google.post("/_admin/accounts", account)
    user = {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "time_zone": person.time_zone,
    }
    crm.post("/_admin/users", user)


def _plant_tasks(crm: calls.Server, now: datetime) -> None:
    # They were there before the webhooks were set up.
    crm.post("/_admin/webhooks", {"lose_every": 1})
    for number, body in enumerate(tasks.bodies(now)):
        key = {"Idempotency-Key": f"seed-{number}"}
        crm.post("/api/v1/tasks", body, **key)
    crm.delete("/_admin/webhooks")
