"""One authorised and checked request, as the methods get it."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from deploy.demo.google import (
    access,
    channels,
    discovery,
    grants,
    listing,
    mails,
    model,
    state,
    writing,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was asked, by whom, when, and what it is asked of."""

    held: state.State
    watched: channels.Channels
    grant: grants.Grant
    now: datetime
    path: str
    args: Mapping[str, str]
    values: discovery.Values
    body: model.Json
    if_match: str
    empty_pages: bool

    @contextlib.contextmanager
    def editing(self) -> Iterator[writing.Edit]:
        """Change the calendar that the path names, or raise 403 or 404."""
        with self.held.transaction(self.now) as tx:
            calendar, role = access.reach_to_write(
                self.held, self.grant.account, self.args["calendarId"]
            )
            yield writing.Edit(
                tx=tx,
                calendar=calendar,
                account=self.grant.account,
                role=role,
                send_updates=self._send_updates(),
                if_match=self.if_match,
            )

    @contextlib.contextmanager
    def looking(self) -> Iterator[listing.Lister]:
        """Read the calendar that the path names, or raise 404."""
        with self.held.transaction(self.now) as tx:
            calendar, role = access.reach(
                self.held, self.grant.account, self.args["calendarId"]
            )
            yield listing.Lister(
                tx=tx, calendar=calendar, role=role, empty_pages=self.empty_pages
            )

    def _send_updates(self) -> mails.SendUpdates:
        if text := self.values.get("sendUpdates"):
            return mails.SendUpdates(str(text))
        # The deprecated form of the same parameter.
        if self.values.get("sendNotifications"):
            return mails.SendUpdates.ALL
        return mails.SendUpdates.NONE
