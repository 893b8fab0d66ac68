"""What workers and timers stand on."""

from datetime import timedelta

from deploy.cli import metering, remotes
from deploy.cli.foundation import Foundation
from shared.domain import signing
from workers.services import Kept, Services

_NEVER_SECONDS = 10 * 365 * 24 * 3600
"""As good as never; times that differ by more cannot be calculated with."""


def services(base: Foundation) -> Services:
    """Return the services of `work` and `periodic`."""
    return Services(
        store=base.store,
        broker=metering.instrumented(base),
        remotes=remotes.build(base),
        clock=base.clock,
        public_url=base.config.public_url,
        channel_key=base.keys.derive(signing.CHANNEL_TOKEN_PURPOSE),
        safety_poll_seconds=min(base.config.safety_poll_seconds, _NEVER_SECONDS),
        kept=Kept(
            history=_span(base.config.history_days),
            conflicts=_span(base.config.conflicts_days),
            dead_letters=_span(base.config.dead_letters_days),
        ),
    )


def _span(days: int) -> timedelta | None:
    """Return so many days; 0 stands for ever."""
    return timedelta(days=days) if days else None
