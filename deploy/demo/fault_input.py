"""Reads a fault from the body of an admin request."""

import dataclasses
import re
from collections.abc import Collection

from deploy.demo import admin_input, faults

_FIELDS = frozenset(field.name for field in dataclasses.fields(faults.Fault))


def read(
    body: admin_input.Body,
    *,
    matchable: Collection[str],
    without: Collection[str] = frozenset(),
) -> faults.Fault:
    """Return the fault that a body describes.

    `matchable` is what requests of a simulator have, `without` the fields of a fault
    that mean nothing there.
    """
    if unknown := sorted(set(body.fields) - (_FIELDS - set(without))):
        message = f"{', '.join(unknown)}: no field of a fault"
        raise admin_input.InputError(message)
    if body.fields.get("times") == 0:
        raise admin_input.InputError("times: must be at least 1, or null for always")
    return faults.Fault(
        match=_match(body, matchable),
        times=body.optional_number("times"),
        status=body.status("status"),
        reason=body.text("reason", ""),
        domain=body.text("domain", ""),
        message=body.text("message", ""),
        body=body.object("body") or None,
        retry_after=body.optional_number("retry_after"),
        latency_seconds=body.seconds("latency_seconds"),
        apply_then_fail=body.optional_member("apply_then_fail", faults.LostAnswer),
        notifications=body.optional_member("notifications", faults.Disturbance),
        seconds=body.seconds("seconds"),
    )


def _match(body: admin_input.Body, matchable: Collection[str]) -> dict[str, str]:
    match = body.object("match")
    if unknown := sorted(set(match) - set(matchable)):
        message = f"match: {', '.join(unknown)} cannot be matched"
        raise admin_input.InputError(message)
    try:
        re.compile(str(match.get("path", "")))
    except re.error as error:
        message = f"match.path: {match['path']!r} is no pattern"
        raise admin_input.InputError(message) from error
    return {name: str(value) for name, value in match.items()}
