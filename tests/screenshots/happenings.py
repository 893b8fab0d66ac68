"""What makes a conflict, a held deletion and dead letters in a demo; again is harmless.

All of it goes through the doors that people and programs use.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.e2e.demo import Demo, wait_for

CONTESTED = "meridiankickoff"
"""The id of an event that both sides edit."""

_MOST_DELETIONS = 2
_BROKEN = "Site visit that Google refuses"


def let_happen(demo: Demo) -> None:
    """Let all of it happen, in a mode in which changes wait for a sync by hand."""
    if not _open_conflicts(demo):
        _configure(demo, frequency="manual", conflict_policy="manual")
        _contest(demo, CONTESTED, "Kick-off with Meridian", days=2)
        _contest(demo, f"{CONTESTED}2", "Budget review", days=3)
    if not demo.receiver("GET", "/held-deletions")["items"]:
        limit = _MOST_DELETIONS
        _configure(demo, frequency="manual", mass_deletion_limit=limit)
        _delete_many(demo, "chitra")
    if demo.receiver("GET", "/orphans")["search"]["state"] == "never":
        _configure(demo, frequency="manual")
        _lose_a_task(demo)
    _configure(demo, frequency="realtime", mass_deletion_limit=25)
    _meet(demo, "Interview", days=4)
    if not demo.receiver("GET", "/dead-letters")["items"]:
        _fail_for_good(demo)
    if "dora" not in demo.connections():
        _join(demo, "dora", "Dora Lind", waits_for_start=True)
        _look_ahead(demo, "dora")
    if "emil" not in demo.connections():
        _join(demo, "emil", "Emil Novak")
        _revoke(demo, "emil")


def _open_conflicts(demo: Demo) -> list[Any]:
    found: list[Any] = demo.receiver("GET", "/conflicts?state=open")["items"]
    return found


def _configure(demo: Demo, **settings: object) -> None:
    demo.receiver("PUT", "/settings", json=settings)


def _sync(demo: Demo, user_id: str) -> None:
    """Bring a user in step by hand, and wait until that is done."""
    connection = demo.connections()[user_id]["id"]
    job = demo.receiver("POST", f"/connections/{connection}/sync")["id"]
    wait_for(lambda: demo.receiver("GET", f"/jobs/{job}")["finished_at"], seconds=60)


def _contest(demo: Demo, event_id: str, title: str, *, days: int) -> None:
    """Have Anna make a meeting, then edit it differently on both sides."""
    account = demo.account("anna")
    before = len(_open_conflicts(demo))
    demo.google(account, "POST", "", json=_meeting(event_id, title, days=days, hour=9))
    _sync(demo, "anna")
    task_id = _link(demo, event_id)["task_id"]
    version = demo.crm("GET", f"/tasks/{task_id}")["version"]
    demo.crm(
        "PATCH",
        f"/tasks/{task_id}",
        json={"title": f"{title} (moved to the big room)", "location": "Room 4"},
        headers={"If-Match": f'"{version}"'},
    )
    later = _meeting(event_id, title, days=days, hour=14) | {"location": "Via video"}
    demo.google(account, "PATCH", f"/{event_id}", json=later)
    _sync(demo, "anna")
    wait_for(lambda: len(_open_conflicts(demo)) > before)


def _meeting(event_id: str, title: str, *, days: int, hour: int) -> dict[str, Any]:
    day = datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    start = day + timedelta(days=days)
    return {
        "id": event_id,
        "summary": title,
        "description": "Agenda: scope, dates, who does what.",
        "start": {"dateTime": start.isoformat(), "timeZone": "Europe/Berlin"},
        "end": {
            "dateTime": (start + timedelta(hours=1)).isoformat(),
            "timeZone": "Europe/Berlin",
        },
    }


def _link(demo: Demo, event_id: str) -> Mapping[str, Any]:
    found: list[Any] = []

    def is_linked() -> bool:
        query = {"event_id": event_id}
        found[:] = demo.receiver("GET", "/links", params=query)["items"]
        return bool(found and found[0]["task_id"])

    wait_for(is_linked)
    link: Mapping[str, Any] = found[0]
    return link


def _delete_many(demo: Demo, user_id: str) -> None:
    """Delete half of the events that a user's tasks have, in Google."""
    account = demo.account(user_id)
    mine = [t for t in demo.tasks().values() if t["owner_id"] == user_id]
    linked = {t["google_event_id"] for t in mine} - {None}
    events = [e for e in demo.events(account).values() if e["id"] in linked]
    count = max(_MOST_DELETIONS + 1, len(events) // 2)
    for event in events[:count]:
        demo.google(account, "DELETE", f"/{event['id']}")
    _sync(demo, user_id)
    wait_for(lambda: demo.receiver("GET", "/held-deletions")["items"])


def _lose_a_task(demo: Demo) -> None:
    """Delete a task that has an event, double another, and search before a sync."""
    account = demo.account("ben")
    body = _meeting("quarterend", "Review of the quarter", days=5, hour=11)
    demo.google(account, "POST", "", json=body)
    _sync(demo, "ben")
    task = demo.crm("GET", f"/tasks/{_link(demo, 'quarterend')['task_id']}")
    copied = ("type", "title", "owner_id", "due_at", "duration_minutes", "time_zone")
    demo.crm(
        "POST",
        "/tasks",
        json={name: task[name] for name in copied},
        headers={"Idempotency-Key": f"second-{task['id']}"},
    )
    made = demo.create_task("Meeting whose task is deleted", owner="ben")
    _sync(demo, "ben")
    demo.crm("DELETE", f"/tasks/{made}")
    demo.receiver("POST", "/orphans/search")
    wait_for(lambda: demo.receiver("GET", "/orphans")["search"]["finished_at"])


def _meet(demo: Demo, title: str, *, days: int) -> None:
    """Have Anna make a few meetings in Google, about which it notifies."""
    account = demo.account("anna")
    known = {event.get("summary") for event in demo.events(account).values()}
    for number in range(1, 4):
        name = f"{title} {number}"
        if name not in known:
            meeting = _meeting(f"candidate{number}", name, days=days, hour=8 + number)
            demo.google(account, "POST", "", json=meeting)
        _link(demo, f"candidate{number}")


def _fail_for_good(demo: Demo) -> None:
    """Have Google refuse some new events as no second attempt would mend."""
    faults = f"{demo.said['google']}/_admin/faults"
    fault = {"match": {"operation": "events.insert"}, "times": 3, "status": 400}
    requests.post(faults, json=fault, timeout=30).raise_for_status()
    for number in range(3):
        demo.create_task(f"{_BROKEN} {number + 1}", owner="ben")
    wait_for(lambda: len(demo.receiver("GET", "/dead-letters")["items"]) >= 3)


def _join(demo: Demo, user_id: str, name: str, **how: object) -> None:
    """Let somebody new come to the CRM, and connect."""
    address = f"{user_id}@fjord.example"
    user = {"id": user_id, "name": name, "email": address, "time_zone": "Europe/Berlin"}
    _order(demo.said["crm"], "users", user)
    _order(demo.said["google"], "accounts", {"address": address})
    demo.receiver("POST", "/crm/check")
    wait_for(lambda: user_id in demo.users())
    body = {"crm_user_id": user_id, **how}
    asked = demo.receiver("POST", "/connections", json=body)
    consent = {"authorization_url": asked["authorization_url"], "account": address}
    answer = _order(demo.said["google"], "consent", consent)
    requests.get(answer["redirect_to"], timeout=30).raise_for_status()
    wait_for(lambda: user_id in demo.connections())


def _look_ahead(demo: Demo, user_id: str) -> None:
    """Find out what somebody's first sync would do."""
    demo.create_task("Onboarding", owner=user_id)
    preview = f"/connections/{demo.connections()[user_id]['id']}/preview"
    demo.receiver("POST", preview)
    wait_for(lambda: demo.receiver("GET", preview)["finished_at"])


def _revoke(demo: Demo, user_id: str) -> None:
    """Take the access back in somebody's Google account, and let that be noticed."""
    connection = demo.connections()[user_id]
    wait_for(lambda: demo.jobs(connection_id=connection["id"], state="succeeded"))
    _order(demo.said["google"], "revoke", {"account": connection["google_account"]})
    demo.create_task("After the revocation", owner=user_id)
    wait_for(lambda: demo.connections()[user_id]["state"] == "needs_reauthorization")


def _order(simulator: str, what: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
    answer = requests.post(f"{simulator}/_admin/{what}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()
