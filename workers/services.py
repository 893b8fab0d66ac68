"""What the workers need from outside; the entry points build it."""

from dataclasses import dataclass

from shared.adapters.store import Store
from shared.domain import ports
from workers.remotes import Remotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The store, the broker and both outside worlds.

    `public_url` is where users connect again, `channel_key` signs the tokens of watch
    channels, `safety_poll_seconds` is how long a side may go without being polled.
    """

    store: Store
    broker: ports.Publisher
    remotes: Remotes
    clock: ports.Clock
    public_url: str
    channel_key: bytes
    safety_poll_seconds: int = 900
