"""What the workers need from outside; the entry points build it."""

from dataclasses import dataclass
from datetime import timedelta

from shared.adapters.store import Store
from shared.domain import ports
from workers.remotes import Remotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """For how long what is over stays in the store; None is for ever."""

    history: timedelta | None = None
    """Jobs, and what was decided about each record in them."""
    conflicts: timedelta | None = None
    """Those that are settled."""
    dead_letters: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The store, the broker and both outside worlds.

    `public_url` is where users connect again, `channel_key` signs the tokens of watch
    channels, `safety_poll_seconds` is how long a side may go without being polled,
    `kept` what the timers prune.
    """

    store: Store
    broker: ports.Publisher
    remotes: Remotes
    clock: ports.Clock
    public_url: str
    channel_key: bytes
    safety_poll_seconds: int = 900
    kept: Kept = Kept()
