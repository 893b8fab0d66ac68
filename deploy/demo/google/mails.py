"""The mails that `sendUpdates` asks for, recorded instead of sent."""

import enum
from collections.abc import Iterable

from deploy.demo.google import attendees, model, state

_SILENT = frozenset(
    {
        "attendees",
        "colorId",
        "extendedProperties",
        "reminders",
        "sequence",
        "status",
        "transparency",
        "visibility",
    }
)


class SendUpdates(enum.StrEnum):
    """Whom Google tells by mail about a change."""

    ALL = "all"
    EXTERNAL_ONLY = "externalOnly"
    NONE = "none"

    def reaches(self, guest: str, organizer: str) -> bool:
        """Whether a guest is told; external means another domain (fact 134)."""
        if self is SendUpdates.EXTERNAL_ONLY:
            return _domain(guest) != _domain(organizer)
        return self is SendUpdates.ALL


def told(body: model.Json, policy: SendUpdates, sender: str) -> set[str]:
    """Return the guests of an event that a policy reaches, without the sender."""
    organizer = body["organizer"]["email"]
    return {
        row["email"]
        for row in attendees.rows_of(body)
        if not row.get("resource")
        and row["email"].casefold() not in (sender.casefold(), organizer.casefold())
        and policy.reaches(row["email"], organizer)
    }


def announce(
    tx: state.Transaction,
    before: model.EventCopy | None,
    after: model.EventCopy,
    policy: SendUpdates,
    sender: str,
) -> None:
    """Tell guests what became of an event: invited, changed or cancelled."""
    was = _invited(before, policy, sender)
    now = _invited(after, policy, sender)
    record(tx, after, model.MailKind.CANCELLATION, was - now)
    record(tx, after, model.MailKind.INVITATION, now - was)
    if before and _is_news(before.body, after.body):
        record(tx, after, model.MailKind.UPDATE, now & was)


def record(
    tx: state.Transaction,
    copy: model.EventCopy,
    kind: model.MailKind,
    recipients: Iterable[str],
) -> None:
    """Record one mail for each recipient."""
    for recipient in sorted(recipients):
        mail = model.Mail(
            time=model.timestamp(tx.now),
            to=recipient,
            kind=kind,
            event_id=copy.id,
            calendar_id=copy.calendar_id,
            summary=copy.body.get("summary", ""),
        )
        tx.add(mail)


def _invited(
    copy: model.EventCopy | None, policy: SendUpdates, sender: str
) -> set[str]:
    if copy is None or copy.is_cancelled or copy.body.get("privateCopy"):
        return set()
    return told(copy.body, policy, sender)


def _is_news(before: model.Json, after: model.Json) -> bool:
    names = {*before, *after} - _SILENT
    return any(before.get(name) != after.get(name) for name in names)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()
