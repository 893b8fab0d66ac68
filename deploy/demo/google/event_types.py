"""What each `eventType` asks of a new event (facts 105 to 108)."""

from deploy.demo.google import errors, model, times

_INSERTABLE = ("default", "birthday", "focusTime", "outOfOffice", "workingLocation")


def check_insert(body: model.Json, calendar: model.Calendar) -> None:
    """Raise 400 for an event of a type that cannot be made so."""
    kind = body["eventType"]
    if kind not in _INSERTABLE:
        raise errors.invalid("Invalid value for: eventType")
    if kind == "default":
        return
    if calendar.is_secondary:
        raise errors.invalid("This event type is only possible on primary calendars.")
    if kind == "birthday":
        _check_birthday(body)
    elif kind == "workingLocation":
        _check_working_location(body)
    else:
        _check_status(body)


def _check_status(body: model.Json) -> None:
    is_transparent = body.get("transparency") == "transparent"
    if times.is_all_day(body["start"]) or is_transparent:
        raise errors.invalid("This event type has to be timed and opaque.")


def _check_working_location(body: model.Json) -> None:
    is_public = body.get("visibility") == "public"
    if not is_public or body.get("transparency") != "transparent":
        raise errors.invalid("This event type has to be public and transparent.")


def _check_birthday(body: model.Json) -> None:
    yearly = any("FREQ=YEARLY" in line for line in body.get("recurrence", ()))
    if not times.is_all_day(body["start"]) or not yearly:
        raise errors.invalid("A birthday has to be all-day and yearly.")
    if body.get("visibility") != "private" or body.get("transparency") != "transparent":
        raise errors.invalid("A birthday has to be private and transparent.")
