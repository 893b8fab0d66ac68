"""Watch channels: opened, told about changes, stopped, grown old (facts 139 to 170)."""

import dataclasses
import hashlib
import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from deploy.demo import clock, faults
from deploy.demo.google import delivery, errors, grants, model, state

_USUAL_LIFE = timedelta(days=7)
_LONGEST_LIFE = timedelta(days=30)
_MOST_ID, _MOST_TOKEN = 64, 256
_SYNC_DELAY_SECONDS = 0.05
# Holidays, birthdays and the like.
_UNWATCHABLE = "@group.v.calendar.google.com"
_USER_AGENT = (
    "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"
)


class Channels:
    """Opens and stops channels and notifies the open ones of each commit."""

    def __init__(
        self,
        held: state.State,
        ticking: clock.Clock,
        sender: delivery.Sender,
        disturbed: faults.Faults,
    ) -> None:
        """Listen to the state from now on."""
        self._state = held
        self._clock = ticking
        self._sender = sender
        self._faults = disturbed
        held.listen(self._notify)

    def watch(
        self, grant: grants.Grant, calendar: model.Calendar, raw: model.Json, path: str
    ) -> model.Json:
        """Open a channel on a calendar's events and send its `sync` message."""
        _check(raw)
        if calendar.id.endswith(_UNWATCHABLE):
            raise errors.push_not_supported()
        now = self._clock.now()
        with self._state.transaction(now) as tx:
            if raw["id"] in self._state.channels:
                message = f"Channel id {raw['id']} not unique"
                raise errors.ApiError(
                    HTTPStatus.BAD_REQUEST, "channelIdNotUnique", message
                )
            channel = model.Channel(
                id=raw["id"],
                account=grant.account,
                client_id=grant.client_id,
                calendar_id=calendar.id,
                resource_id=_resource_id(grant.account, calendar.id),
                resource_uri=f"https://www.googleapis.com{quote(path)}?alt=json",
                address=raw["address"],
                token=raw.get("token") or "",
                expires_at=_expiry(raw, model.micros(now)),
            )
            tx.add(channel)
        self._greet(channel)
        return _answer(channel)

    def stop(self, grant: grants.Grant, raw: model.Json) -> None:
        """Stop a channel, or raise 404 for one that is not this caller's (fact 166)."""
        with self._state.transaction(self._clock.now()) as tx:
            channel = self._state.channels.get(raw.get("id") or "")
            if channel is None or not _is_own(channel, grant, raw):
                project = grant.client_id.partition("-")[0]
                raise errors.channel_not_found(str(raw.get("id", "")), project)
            tx.add(dataclasses.replace(channel, is_stopped=True))

    def open_channels(self) -> list[model.Channel]:
        """Return the channels that are neither stopped nor expired."""
        now = model.micros(self._clock.now())
        with self._state.lock:
            found = list(self._state.channels.values())
        return [c for c in found if not c.is_stopped and c.expires_at > now]

    def _notify(self, calendar_ids: frozenset[str], number: int) -> None:
        for channel in self.open_channels():
            if channel.calendar_id in calendar_ids:
                self._push(_notification(channel, "exists", 1 + number))

    def _greet(self, channel: model.Channel) -> None:
        # The first message is number 1; it may even overtake the answer (fact 154).
        notification = _notification(channel, "sync", 1)
        if self._faults.take_notification(faults.Disturbance.BEFORE_RESPONSE):
            self._sender.send_now(notification)
        else:
            self._push(notification, delay_seconds=_SYNC_DELAY_SECONDS)

    def _push(
        self, notification: delivery.Notification, *, delay_seconds: float = 0
    ) -> None:
        if self._faults.take_notification(faults.Disturbance.DROP):
            return
        if late := self._faults.take_notification(faults.Disturbance.LATE):
            delay_seconds += late.seconds
        self._sender.send(notification, delay_seconds=delay_seconds)
        if self._faults.take_notification(faults.Disturbance.DUPLICATE):
            self._sender.send(notification, delay_seconds=delay_seconds)


def _check(raw: model.Json) -> None:
    channel_id, address = raw.get("id") or "", raw.get("address") or ""
    if not channel_id:
        raise errors.required("Required")
    if len(channel_id) > _MOST_ID:
        raise errors.invalid("Invalid channel id.")
    if raw.get("type") not in ("web_hook", "webhook"):
        raise errors.invalid("Invalid channel type.")
    if len(raw.get("token") or "") > _MOST_TOKEN:
        raise errors.invalid("Invalid channel token.")
    url = urlsplit(address)
    if url.scheme == "https" and url.hostname:
        return
    if url.scheme != "http" or not _is_loopback(url.hostname or ""):
        raise errors.ApiError(
            HTTPStatus.BAD_REQUEST,
            "push.webhookUrlNotHttps",
            f"WebHook callback must be HTTPS: {address}",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _expiry(raw: model.Json, now: int) -> int:
    microsecond = timedelta(microseconds=1)
    wishes = [now + _LONGEST_LIFE // microsecond]
    ttl, expiration = (raw.get("params") or {}).get("ttl"), raw.get("expiration")
    try:
        if ttl is not None:
            wishes.append(now + int(ttl) * 1_000_000)
        if expiration is not None:
            wishes.append(int(expiration) * 1000)
    except ValueError as error:
        raise errors.invalid("Invalid channel expiration.") from error
    if len(wishes) == 1:
        wishes.append(now + _USUAL_LIFE // microsecond)
    # The more restrictive of the wishes and Google's limit wins (fact 146).
    expires_at = min(wishes)
    if expires_at <= now:
        raise errors.invalid("Invalid channel expiration.")
    return expires_at


def _resource_id(account: str, calendar_id: str) -> str:
    # One user's channels on one calendar share it (fact 145).
    digest = hashlib.sha256(f"{account}\n{calendar_id}".encode()).digest()
    return model.base32hex(digest[:16])


def _is_own(channel: model.Channel, grant: grants.Grant, raw: model.Json) -> bool:
    return (
        not channel.is_stopped
        and channel.resource_id == raw.get("resourceId")
        and (channel.account, channel.client_id) == (grant.account, grant.client_id)
    )


def _answer(channel: model.Channel) -> model.Json:
    answer = {
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
        "expiration": str(channel.expires_at // 1000),
    }
    return answer | ({"token": channel.token} if channel.token else {})


def _notification(
    channel: model.Channel, resource_state: str, number: int
) -> delivery.Notification:
    expiry = model.instant(channel.expires_at).replace(microsecond=0)
    headers: Mapping[str, str] = {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br",
        "User-Agent": _USER_AGENT,
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Expiration": format_datetime(expiry, usegmt=True),
        "X-Goog-Message-Number": str(number),
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-State": resource_state,
        "X-Goog-Resource-URI": channel.resource_uri,
    }
    if channel.token:
        headers = {**headers, "X-Goog-Channel-Token": channel.token}
    return delivery.Notification(address=channel.address, headers=headers)
