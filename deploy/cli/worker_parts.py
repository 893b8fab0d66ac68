"""What workers and timers stand on."""

from deploy.cli import remotes
from deploy.cli.foundation import Foundation
from shared.domain import signing
from workers.services import Services

_NEVER_SECONDS = 10 * 365 * 24 * 3600
"""As good as never; times that differ by more cannot be calculated with."""


def services(base: Foundation) -> Services:
    """Return the services of `work` and `periodic`."""
    return Services(
        store=base.store,
        broker=base.broker,
        remotes=remotes.build(base),
        clock=base.clock,
        public_url=base.config.public_url,
        channel_key=base.keys.derive(signing.CHANNEL_TOKEN_PURPOSE),
        safety_poll_seconds=min(base.config.safety_poll_seconds, _NEVER_SECONDS),
    )
