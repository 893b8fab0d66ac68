"""The simulated Calendar API: whatever a body holds, it is taken or refused."""

import string
from http import HTTPStatus
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.demo.google import bodies, discovery
from tests.contract.google_simulator import ANNA, BEN, Google, Row, done, hour

TEXTS = (
    ANNA,
    BEN,
    "cancelled",
    "confirmed",
    "private",
    "default",
    "Europe/Berlin",
    "2026-12-01",
    "2026-12-01T10:00:00",
    "2026-12-01T10:00:00Z",
    "1000-01-01T00:00:00+14:00",
    "9000-01-01T00:00:00Z",
    "RRULE:FREQ=DAILY;COUNT=3",
    "RRULE:FREQ=YEARLY;INTERVAL=999",
    "RRULE:FREQ=MONTHLY;UNTIL=00010101T000000Z",
    "EXDATE:20261202T090000Z",
    "RDATE;VALUE=DATE:99991231",
    "popup",
)
LIMIT = 2**31


def _values(spec: Row) -> st.SearchStrategy[Any]:
    if "$ref" in spec:
        return _values(discovery.document()["schemas"][spec["$ref"]])
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(TEXTS) | st.text(string.printable, max_size=20),
        "integer": st.sampled_from((-1, 0, 1, LIMIT - 1, LIMIT)),
        "number": st.floats(allow_nan=False),
        "boolean": st.booleans(),
        "any": st.none(),
    }
    if spec["type"] == "array":
        return st.lists(_values(spec["items"]), max_size=2)
    if spec["type"] == "object":
        return _objects(spec)
    return kinds[spec["type"]]


def _objects(spec: Row) -> st.SearchStrategy[Row]:
    if other := spec.get("additionalProperties"):
        return st.dictionaries(st.sampled_from(TEXTS), _values(other), max_size=2)
    fields = {
        name: st.none() | _values(inner) for name, inner in spec["properties"].items()
    }
    return st.fixed_dictionaries({}, optional=fields)


EVENT = discovery.document()["schemas"]["Event"]["properties"]
BODIES = st.fixed_dictionaries(
    {}, optional={name: _values(EVENT[name]) for name in sorted(bodies.WRITABLE)}
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(first=BODIES, second=BODIES)
def test_no_body_makes_a_method_fail(first: Row, second: Row) -> None:
    google = Google()
    event = google.insert()["id"]
    answers = [
        google.call("POST", body={**hour("2026-12-01T10:00"), **first}),
        google.call("PATCH", event, first),
        google.call("PATCH", event, second),
        google.call("PUT", event, {**hour("2026-12-01T10:00"), **second}),
    ]

    for account in (ANNA, BEN):
        token = google.sync_token(account)
        done(google.call("GET", account=account, singleEvents="true"))
        done(google.call("GET", account=account, syncToken=token, showDeleted="true"))

    failed = HTTPStatus.INTERNAL_SERVER_ERROR
    assert [a.status_code for a in answers if a.status_code >= failed] == []
