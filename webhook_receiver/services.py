"""What the receiver needs from outside; the entry points build it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.adapters import crypto, google_oauth
from shared.adapters.store import Store
from shared.domain import ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The store, the broker, Google's OAuth endpoints, the keys and the time.

    `public_url` is the address that browsers and Google reach the receiver at. `checks`
    are asked for readiness as well, by what they check; they raise a `SyncError`.
    """

    store: Store
    broker: ports.Broker
    oauth: google_oauth.GoogleOAuth
    keys: crypto.Keys
    clock: ports.Clock
    public_url: str
    checks: Mapping[str, Callable[[], None]] = field(default_factory=dict)
