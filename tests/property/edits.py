"""What users do to tasks and events, as Hypothesis draws it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.domain import text
from shared.domain.model import Document
from tests.property import rewriting

Edit = Callable[[Document], dict[str, Any]]
"""From a record to the fields that its user changes."""

_TITLES = st.sampled_from(["Lunch", "Dinner", "(No title)", "Call 👩‍🚀", "  two  "])
_TEXTS = st.sampled_from(["", "cake", "a < b & c", "if <b> &amp;", "one\r\ntwo \n"])
_HTML = st.sampled_from(["", "cake", "<p>Bring <b>cake</b></p>", "a &lt; b", "1<br>2"])
_ZONES = st.sampled_from(["Europe/Zurich", "America/New_York", "UTC"])
_MINUTES = st.sampled_from([0, 30, 60, 90])
_DAYS = st.sampled_from([1, 2])
_STARTS = st.sampled_from(
    [datetime(2026, month, 2, 12, tzinfo=UTC) for month in (3, 4, 7)]
)
_GUESTS = st.lists(
    st.sampled_from(["bob", "eve@x.example", "fay@x.example"]), unique=True, max_size=2
)


def new_tasks() -> st.SearchStrategy[dict[str, Any]]:
    """Draw a task in the scope."""
    return st.fixed_dictionaries(
        {"title": _TITLES, "due_at": _STARTS.map(datetime.isoformat)},
        optional={"description": _TEXTS, "duration_minutes": _MINUTES},
    )


def task_edits() -> st.SearchStrategy[Edit]:
    """Draw a change of a task."""
    return st.one_of(
        _fixed(title=_TITLES),
        _fixed(description=_TEXTS),
        _fixed(location=_TEXTS),
        _fixed(status=st.sampled_from(["open", "completed", "cancelled"])),
        _fixed(status=st.sampled_from(["open", "cancelled"])),
        _fixed(type=st.sampled_from(["Meeting", "Meeting", "Call"])),
        _fixed(time_zone=st.none() | _ZONES),
        st.builds(_due_at, _STARTS, st.none() | _MINUTES),
        st.builds(_due_on, _STARTS, st.none() | _DAYS),
        st.just(_no_due_date),
        _GUESTS.map(_invite_in_crm),
    )


def new_events() -> st.SearchStrategy[dict[str, Any]]:
    """Draw an event, which its calendar's user may not be allowed to edit."""
    return st.builds(
        lambda start, minutes, zone, rest: {**_timed(start, minutes, zone), **rest},
        _STARTS,
        _MINUTES,
        _ZONES,
        st.fixed_dictionaries(
            {},
            optional={
                "summary": _TITLES,
                "description": _HTML,
                "locked": st.just(True),  # noqa: FBT003 - what Google sends
            },
        ),
    )


def event_edits() -> st.SearchStrategy[Edit]:
    """Draw a change of an event."""
    return st.one_of(
        _fixed(summary=st.none() | _TITLES),
        _fixed(description=_HTML),
        _fixed(location=_TEXTS),
        st.builds(_moved, _STARTS, _MINUTES, _ZONES),
        st.builds(_moved_to_day, _STARTS, _DAYS),
        _GUESTS.map(_invite_in_google),
        st.sampled_from(["accepted", "declined"]).map(_answer),
        st.sampled_from(["accepted", "declined"]).map(_attend),
        st.just(_reminded),
        st.sampled_from(rewriting.EDITORS).map(_saved_in_page),
    )


def _fixed(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Edit]:
    def edit_of(values: dict[str, Any]) -> Edit:
        return lambda _: values

    return st.fixed_dictionaries(fields).map(edit_of)


# -- the CRM ----------------------------------------------------------------------


def _due_at(start: datetime, minutes: int | None) -> Edit:
    return lambda _: {
        "due_at": start.isoformat(),
        "duration_minutes": minutes,
        "due_date": None,
        "duration_days": None,
    }


def _due_on(start: datetime, days: int | None) -> Edit:
    return lambda _: {
        "due_date": start.date().isoformat(),
        "duration_days": days,
        "due_at": None,
        "duration_minutes": None,
    }


def _no_due_date(_: Document) -> dict[str, Any]:
    return {"due_at": None, "due_date": None}


def _invite_in_crm(guests: list[str]) -> Edit:
    def edit(task: Document) -> dict[str, Any]:
        rows = {row["email"]: row for row in task["attendees"]}
        emails = ["bob@crm.example" if guest == "bob" else guest for guest in guests]
        return {"attendees": [rows.get(email, {"email": email}) for email in emails]}

    return edit


# -- Google -----------------------------------------------------------------------


def _moved(start: datetime, minutes: int, zone: str) -> Edit:
    return lambda _: {
        name: {**moment, "date": None}
        for name, moment in _timed(start, minutes, zone).items()
    }


def _timed(start: datetime, minutes: int, zone: str) -> dict[str, Any]:
    end = start + timedelta(minutes=minutes)
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": zone},
        "end": {"dateTime": end.isoformat(), "timeZone": zone},
    }


def _moved_to_day(start: datetime, days: int) -> Edit:
    def day(on: date) -> dict[str, Any]:
        return {"date": on.isoformat(), "dateTime": None, "timeZone": None}

    first_on = start.date()
    times = {"start": day(first_on), "end": day(first_on + timedelta(days=days))}
    return lambda _: times


def _invite_in_google(guests: list[str]) -> Edit:
    def edit(event: Document) -> dict[str, Any]:
        rows = {row["email"]: row for row in event.get("attendees", ())}
        emails = ["bob@google.example" if guest == "bob" else guest for guest in guests]
        return {"attendees": [rows.get(email, {"email": email}) for email in emails]}

    return edit


def _answer(answer: str) -> Edit:
    def edit(event: Document) -> dict[str, Any]:
        rows = event.get("attendees", ())
        return {"attendees": [{**row, "responseStatus": answer} for row in rows]}

    return edit


def _attend(answer: str) -> Edit:
    own = {"email": rewriting.ACCOUNT, "responseStatus": answer}

    def edit(event: Document) -> dict[str, Any]:
        rows = event.get("attendees", ())
        others = [row for row in rows if row["email"] != own["email"]]
        return {"attendees": [*others, own]}

    return edit


def _saved_in_page(editor: Callable[[str], str]) -> Edit:
    def edit(event: Document) -> dict[str, Any]:
        shown = text.from_html(event.get("description"))
        return {"description": editor(shown)}

    return edit


def _reminded(_: Document) -> dict[str, Any]:
    return {"reminders": {"useDefault": True}}
