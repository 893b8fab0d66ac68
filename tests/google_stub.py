"""What a stub in Google's place answers with, and credentials to ask it with."""

from typing import Any

import google.oauth2.credentials

PUSH_ADDRESS = "https://sync.example.com/webhooks/google"


def credentials(token: str) -> google.oauth2.credentials.Credentials:
    """Return credentials that only hold an access token."""
    return google.oauth2.credentials.Credentials(token=token)  # type: ignore[no-untyped-call] # google-auth has no types


def envelope(
    status: int, reason: str, message: str = "Text", **more: object
) -> dict[str, Any]:
    """Return Google's error body (fact 176)."""
    row = {"domain": "global", "reason": reason, "message": message}
    return {"error": {"errors": [row], "code": status, "message": message, **more}}


def detailed(status: int, detail: str) -> dict[str, Any]:
    """Return the newer error body, whose classic reason says little (fact 177)."""
    return envelope(status, "forbidden", details=[{"reason": detail}])
