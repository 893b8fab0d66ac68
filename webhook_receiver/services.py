"""What the receiver needs from outside; the entry points build it."""

from dataclasses import dataclass

from shared.adapters import crypto, google_oauth
from shared.adapters.store import Store
from shared.domain import ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The store, the broker, Google's OAuth endpoints, the keys and the time.

    `public_url` is the address that browsers and Google reach the receiver at.
    """

    store: Store
    broker: ports.Broker
    oauth: google_oauth.GoogleOAuth
    keys: crypto.Keys
    clock: ports.Clock
    public_url: str
