"""The scopes a client may ask for, their spelling and what the consent page says.

The Calendar scopes and their texts come from the discovery document that ships with
google-api-python-client. `email` and `profile` are aliases: Google answers with their
long spelling (https://developers.google.com/identity/protocols/oauth2/scopes).
"""

import functools
import json
from collections.abc import Iterable

from googleapiclient import discovery_cache

OPENID = "openid"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"
PROFILE = "https://www.googleapis.com/auth/userinfo.profile"

# Granted with signing in: the consent page shows no checkbox for them.
SIGN_IN = {
    OPENID: "Associate you with your personal info on Google",
    EMAIL: "See your primary Google Account email address",
    PROFILE: "See your personal info, including any personal info you've made "
    "publicly available",
}
_ALIASES = {"email": EMAIL, "profile": PROFILE}


@functools.cache
def texts() -> dict[str, str]:
    """Return what the consent page says for each known scope."""
    text = discovery_cache.get_static_doc("calendar", "v3")  # type: ignore[no-untyped-call] # its stubs leave this out
    calendar = json.loads(text)["auth"]["oauth2"]["scopes"]
    return {
        **SIGN_IN,
        **{scope: entry["description"] for scope, entry in calendar.items()},
    }


def parse(text: str) -> tuple[str, ...]:
    """Return the space-separated scopes in their order, long spelling, each once."""
    return unique(_ALIASES.get(scope, scope) for scope in text.split())


def unique(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes in their order, each once."""
    return tuple(dict.fromkeys(scopes))


def unknown(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return those of the scopes that do not exist here."""
    return tuple(scope for scope in scopes if scope not in texts())
