"""The small resources: calendarList, calendars and settings."""

import hashlib
from collections.abc import Iterable

from deploy.demo.google import access, calls, errors, model, queries, tokens

_MOST_ROWS, _USUAL_ROWS = 250, 100
_SETTINGS = {
    "autoAddHangouts": "false",
    "defaultEventLength": "60",
    "format24HourTime": "true",
    "hideInvitations": "false",
    "hideWeekends": "false",
    "locale": "en",
    "remindOnRespondedEventsOnly": "false",
    "showDeclinedEvents": "true",
    "weekStart": "1",
}
_NOT_WITH_SYNC_TOKEN = ("minAccessRole", "showOwnOrganizationOnly")


def calendar_list(call: calls.Call) -> model.Json:
    """Answer `calendarList.list`."""
    is_incremental = "syncToken" in call.values
    if is_incremental and any(n in call.values for n in _NOT_WITH_SYNC_TOKEN):
        raise errors.sync_token_with_restrictions()
    least = str(call.values.get("minAccessRole") or model.Role.FREE_BUSY_READER)
    shows_deleted = is_incremental or bool(call.values.get("showDeleted"))
    with call.held.lock:
        found = sorted(
            (
                m
                for m in call.held.memberships.values()
                if m.account == call.grant.account
            ),
            key=lambda m: m.changed,
        )
        rows = [
            (m.changed, _entry(call.held.calendars[m.calendar_id], m))
            for m in found
            if model.Role(m.role).reaches(least) and (shows_deleted or not m.is_deleted)
        ]
        return _page(call, "calendar#calendarList", rows)


def calendar_list_get(call: calls.Call) -> model.Json:
    """Answer `calendarList.get`."""
    with call.held.lock:
        account = call.grant.account
        calendar, _ = access.reach(call.held, account, call.args["calendarId"])
        return _entry(calendar, call.held.memberships[account, calendar.id])


def calendars_get(call: calls.Call) -> model.Json:
    """Answer `calendars.get`."""
    with call.held.lock:
        calendar, _ = access.reach(
            call.held, call.grant.account, call.args["calendarId"]
        )
    body = {
        "kind": "calendar#calendar",
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    if calendar.description:
        body["description"] = calendar.description
    return body | {"etag": _etag(body)}


def settings_list(call: calls.Call) -> model.Json:
    """Answer `settings.list`."""
    with call.held.lock:
        account = call.held.accounts[call.grant.account]
        rows = [
            (account.changed, _setting(name, value))
            for name, value in sorted(_settings(account).items())
        ]
        return _page(call, "calendar#settings", rows)


def settings_get(call: calls.Call) -> model.Json:
    """Answer `settings.get`."""
    with call.held.lock:
        account = call.held.accounts[call.grant.account]
    name = call.args["setting"]
    value = _settings(account).get(name)
    if value is None:
        raise errors.not_found()
    return _setting(name, value)


def _settings(account: model.Account) -> dict[str, str]:
    return _SETTINGS | {"timezone": account.time_zone}


def _setting(name: str, value: str) -> model.Json:
    body = {"kind": "calendar#setting", "id": name, "value": value}
    return body | {"etag": _etag(body)}


def _entry(calendar: model.Calendar, member: model.Membership) -> model.Json:
    body: model.Json = {"kind": "calendar#calendarListEntry", "id": calendar.id}
    if member.is_deleted:
        body["deleted"] = True
        return body | {"etag": _etag(body)}
    is_writer = model.Role(member.role).is_writer
    body |= {
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "accessRole": member.role,
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": True,
        "defaultReminders": [{"method": "popup", "minutes": 10}] if is_writer else [],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    if calendar.description:
        body["description"] = calendar.description
    if calendar.id == member.account:
        body["primary"] = True
    return body | {"etag": _etag(body)}


def _page(
    call: calls.Call, kind: str, rows: Iterable[tuple[int, model.Json]]
) -> model.Json:
    scope = f"{kind}/{call.grant.account}"
    epoch = f"{scope}/{call.held.calendars[call.grant.account].token_epoch}"
    now = model.micros(call.now)
    number = call.held.sequence
    if text := str(call.values.get("syncToken", "")):
        token = tokens.open_sync(text, epoch=epoch, filters="", now=now)
        rows = [row for row in rows if row[0] > token.number]
    begin = 0
    if text := str(call.values.get("pageToken", "")):
        page = tokens.open_page(text, query=scope)
        begin, number = int(page.key[0]), page.number
    most = min(queries.number(call.values, "maxResults") or _USUAL_ROWS, _MOST_ROWS)
    every = [body for _, body in rows]
    answer: model.Json = {"kind": kind, "items": every[begin : begin + most]}
    if begin + most < len(every):
        answer["nextPageToken"] = tokens.seal(
            tokens.PageToken(query=scope, number=number, key=[begin + most])
        )
    else:
        answer["nextSyncToken"] = tokens.seal(
            tokens.SyncToken(epoch=epoch, filters="", number=number, issued_at=now)
        )
    return answer | {"etag": _etag(answer)}


def _etag(body: model.Json) -> str:
    digest = hashlib.sha256(repr(body).encode()).digest()
    return f'"{model.base32hex(digest[:10])}"'
