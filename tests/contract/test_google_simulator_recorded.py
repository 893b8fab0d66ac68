"""The simulated Calendar API beside answers recorded from the real one.

Each file is an incremental `events.list`; the same user actions are replayed and the
answers compared: the fields of the envelope, the rows and their fields.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contract.google_simulator import Google, Row, done

RECORDED = Path(__file__).parents[1] / "fixtures" / "google-recorded"
USER = "test.user@gmail.com"
ZONE = "America/Chicago"
DAILY = ["RRULE:FREQ=DAILY"]
_TIMES = ("start", "end", "originalStartTime")


def _recorded(name: str) -> Row:
    recorded: Row = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return recorded


@pytest.fixture
def google() -> Google:
    google = Google()
    google.clock.at = datetime(2025, 3, 20, 12, 0, tzinfo=UTC)
    google.order("accounts", address=USER, time_zone=ZONE)
    return google


def _span(day: str, start: str, end: str) -> Row:
    return {
        "start": {"dateTime": f"{day}T{start}:00", "timeZone": ZONE},
        "end": {"dateTime": f"{day}T{end}:00", "timeZone": ZONE},
    }


def _series(google: Google, day: str, start: str, end: str) -> str:
    fields = {"summary": "🍽️ Dishes", "recurrence": DAILY, **_span(day, start, end)}
    return str(google.insert(USER, **fields)["id"])


def _split(google: Google, series: str, at: str, **changes: object) -> str:
    body = {"calendar": USER, "event_id": f"{series}_{at}", "changes": changes}
    return str(google.order("split-series", **body)["id"])


def _create(google: Google) -> str:
    token = google.sync_token(USER)
    _series(google, "2025-03-24", "07:30", "08:15")
    return token


def _edit_the_first(google: Google) -> str:
    token = google.sync_token(USER)
    series = _series(google, "2025-03-24", "07:30", "08:15")
    change = {"summary": "Modified", **_span("2025-03-24", "12:30", "13:15")}
    google.patch(f"{series}_20250324T123000Z", change, USER)
    return token


def _move_and_describe_one(google: Google) -> str:
    series = _series(google, "2025-03-24", "07:30", "08:15")
    token = google.sync_token(USER)
    change = {"description": "at night", **_span("2025-03-26", "20:45", "21:30")}
    google.patch(f"{series}_20250326T123000Z", change, USER)
    return token


def _rename_three(google: Google) -> str:
    series = _series(google, "2025-03-24", "07:30", "08:15")
    token = google.sync_token(USER)
    for day in (26, 27, 28):
        google.patch(f"{series}_202503{day}T123000Z", {"summary": f"On {day}"}, USER)
    return token


def _delete_one(google: Google) -> str:
    series = _series(google, "2025-03-24", "10:00", "11:30")
    token = google.sync_token(USER)
    google.delete(f"{series}_20250328T150000Z", USER)
    return token


def _delete_one_of_a_shortened_series(google: Google) -> str:
    series = _series(google, "2025-02-09", "08:00", "09:00")
    _split(google, series, "20250401T130000Z")
    token = google.sync_token(USER)
    google.delete(f"{series}_20250325T130000Z", USER)
    return token


def _split_off_at_another_hour(google: Google) -> str:
    token = google.sync_token(USER)
    series = _series(google, "2025-02-09", "08:00", "09:00")
    times = _span("2025-04-01", "07:00", "08:00")
    _split(google, series, "20250401T130000Z", description="earlier", **times)
    return token


def _split_off_under_another_title(google: Google) -> str:
    series = _series(google, "2025-02-09", "08:00", "09:00")
    times = _span("2025-04-01", "07:00", "08:00")
    second = _split(google, series, "20250401T130000Z", description="new", **times)
    token = google.sync_token(USER)
    _split(google, second, "20250409T120000Z", summary="🍊 Orange")
    return token


REPLAYS: list[tuple[str, Callable[[Google], str]]] = [
    ("create__create", _create),
    ("edit__single__single.instance-1", _edit_the_first),
    ("edit__single__single.instance-2", _move_and_describe_one),
    ("edit__single__single.instance-3", _rename_three),
    ("delete__single__delete.single-2", _delete_one),
    ("delete__single__delete.single", _delete_one_of_a_shortened_series),
    ("edit__this-and-following-v2__this-and-following-0", _split_off_at_another_hour),
    (
        "edit__this-and-following-v2__this-and-following-1",
        _split_off_under_another_title,
    ),
]


def _shape(row: Row) -> dict[str, Any]:
    """Return what a replay must have in common with the recorded row."""
    root = re.split(r"_R?\d", str(row["id"]))[0]
    suffix = str(row["id"]).removeprefix(root)
    kept = ("kind", "status", "recurrence", "sequence", "eventType", "reminders")
    return {
        "fields": sorted(row),
        "id": suffix,
        "uid": str(row.get("iCalUID", "")).removeprefix(root),
        "series": str(row.get("recurringEventId", "")).removeprefix(root),
        "times": {name: row[name] for name in _TIMES if name in row},
        "people": [row.get("creator"), row.get("organizer")],
        **{name: row[name] for name in kept if name in row},
    }


def test_every_recorded_answer_is_replayed() -> None:
    replayed = {f"{name}.json" for name, _ in REPLAYS}

    assert {path.name for path in RECORDED.glob("*.json")} == replayed


@pytest.mark.parametrize(("name", "act"), REPLAYS)
def test_the_same_actions_give_the_same_rows_with_the_same_fields(
    google: Google, name: str, act: Callable[[Google], str]
) -> None:
    recorded = _recorded(name)

    token = act(google)

    replayed = done(google.call("GET", account=USER, syncToken=token))
    assert replayed.keys() == recorded.keys()
    for field in ("kind", "summary", "description", "timeZone", "accessRole"):
        assert replayed[field] == recorded[field]
    assert [_shape(row) for row in replayed["items"]] == [
        _shape(row) for row in recorded["items"]
    ]


@pytest.mark.parametrize(("name", "act"), REPLAYS)
def test_etags_and_ids_look_alike(
    google: Google, name: str, act: Callable[[Google], str]
) -> None:
    patterns = {
        "etag": r'"\d{16}"',
        "id": r"[a-v0-9]{26}(_R?\d{8}T\d{6}Z?)?",
        "created": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z",
        "updated": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    }

    token = act(google)

    rows = google.rows(USER, syncToken=token)
    for row in rows + _recorded(name)["items"]:
        for field in patterns.keys() & row.keys():
            assert re.fullmatch(patterns[field], row[field]), (field, row[field])
