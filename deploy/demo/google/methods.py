"""The API methods, by their ids in Google's own description.

Each takes a call and returns the answer's body, or None for an answer without one.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from deploy.demo.google import (
    access,
    calls,
    errors,
    events,
    lists,
    model,
    queries,
    rendering,
    series,
    writing,
)

Answer: TypeAlias = model.Json | None


def _events_list(call: calls.Call) -> Answer:
    with call.looking() as lister:
        query = queries.parse(call.values, lister.role, lister.tx.now)
        return lister.list_events(query)


def _events_instances(call: calls.Call) -> Answer:
    with call.looking() as lister:
        query = queries.parse(call.values, lister.role, lister.tx.now)
        return lister.instances(query, call.args["eventId"])


def _events_get(call: calls.Call) -> Answer:
    with call.looking() as lister:
        copy = series.find(lister.tx, lister.calendar, call.args["eventId"])
        if copy is None:
            raise errors.not_found()
        view = rendering.View(
            calendar=lister.calendar,
            role=lister.role,
            zone=queries.zone(call.values, lister.calendar),
            most_attendees=queries.number(call.values, "maxAttendees"),
        )
        return rendering.render(copy, view)


def _events_insert(call: calls.Call) -> Answer:
    with call.editing() as edit:
        copy = events.insert(edit, call.body)
        return _written(call, edit, copy)


def _events_import(call: calls.Call) -> Answer:
    with call.editing() as edit:
        copy = events.import_event(edit, call.body)
        return _written(call, edit, copy)


def _events_update(call: calls.Call) -> Answer:
    with call.editing() as edit:
        copy = events.update(edit, call.args["eventId"], call.body)
        return _written(call, edit, copy)


def _events_patch(call: calls.Call) -> Answer:
    with call.editing() as edit:
        copy = events.patch(edit, call.args["eventId"], call.body)
        return _written(call, edit, copy)


def _events_delete(call: calls.Call) -> Answer:
    with call.editing() as edit:
        events.delete(edit, call.args["eventId"])
    return None


def _events_move(call: calls.Call) -> Answer:
    with call.editing() as edit:
        destination, _ = access.reach_to_write(
            call.held, call.grant.account, str(call.values["destination"])
        )
        copy = events.move(edit, call.args["eventId"], destination)
        return _written(call, edit, copy)


def _events_watch(call: calls.Call) -> Answer:
    with call.looking() as lister:
        calendar = lister.calendar
    path = call.path.removesuffix("/watch")
    return call.watched.watch(call.grant, calendar, call.body, path)


def _channels_stop(call: calls.Call) -> Answer:
    call.watched.stop(call.grant, call.body)
    return None


def _written(call: calls.Call, edit: writing.Edit, copy: model.EventCopy) -> model.Json:
    view = rendering.View(
        calendar=edit.calendar,
        role=edit.role,
        zone=edit.calendar.time_zone,
        most_attendees=queries.number(call.values, "maxAttendees"),
    )
    return rendering.render(copy, view)


METHODS: Mapping[str, Callable[[calls.Call], Answer]] = {
    "calendar.calendarList.get": lists.calendar_list_get,
    "calendar.calendarList.list": lists.calendar_list,
    "calendar.calendars.get": lists.calendars_get,
    "calendar.channels.stop": _channels_stop,
    "calendar.events.delete": _events_delete,
    "calendar.events.get": _events_get,
    "calendar.events.import": _events_import,
    "calendar.events.insert": _events_insert,
    "calendar.events.instances": _events_instances,
    "calendar.events.list": _events_list,
    "calendar.events.move": _events_move,
    "calendar.events.patch": _events_patch,
    "calendar.events.update": _events_update,
    "calendar.events.watch": _events_watch,
    "calendar.settings.get": lists.settings_get,
    "calendar.settings.list": lists.settings_list,
}
