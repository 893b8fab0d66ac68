"""Brings the demo up, step by step."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from deploy.cli.demo import organization, seeding
from deploy.cli.demo.addresses import Addresses
from deploy.cli.demo.home import Home, User
from deploy.cli.demo.programs import Cast
from deploy.cli.foundation import Foundation
from deploy.cli.stopping import Wish
from deploy.cli.supervision import Supervisor
from shared.domain import errors

_PATIENCE_SECONDS = 90.0
_PROBE_SECONDS = 2.0


class StoppedError(Exception):
    """Somebody wants the demo to stop."""


class TooSlowError(errors.SyncError):
    """A part of the demo did not come up in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the cast plays; `say` tells people how far it is."""

    base: Foundation
    home: Home
    where: Addresses
    cast: Cast
    supervisor: Supervisor
    wish: Wish
    say: Callable[[str], None]

    def bring_up(self) -> None:
        """Return when everything runs and everybody is connected.

        Raises `StoppedError`, `MisusedError` when a part cannot run like this, or a
        `SyncError`.
        """
        self.say("Starting calendar-sync, a simulated Google and a simulated CRM ...")
        organization.prepare_database(self.base, self.home.kept)
        organization.set_up(self.base, self.home, self.where)
        # All at once: each takes its time to import what it needs.
        for program in (self.cast.google, self.cast.crm, self.cast.product):
            self.supervisor.start(program)
        self._wait_for_simulators()
        is_new = self.home.kept.users is None
        if is_new:
            self.say("Filling them with a few weeks of meetings ...")
            self.home.keep(users=self._seed("plant"))
        organization.read_users(self.base, self.home.kept, self.where)
        product = self.cast.product.name
        self._wait_for(lambda: self.supervisor.are_ready(product), product)
        self.say("Connecting everybody's calendar ...")
        try:
            self._seed("connect")
        except seeding.SeedingError:
            # Later on, whoever plays with the demo may have made it impossible.
            if is_new:
                raise

    def wait(self, until: Callable[[], bool]) -> None:
        """Keep everything running until the condition holds; raises `StoppedError`."""
        self.supervisor.look_after(lambda: self.wish.is_there or until())
        if self.wish.is_there:
            raise StoppedError

    def take_down(self) -> None:
        """Stop the product before what it talks to."""
        self.supervisor.stop(self.cast.product.name)
        self.supervisor.stop()

    def _wait_for_simulators(self) -> None:
        for program, url in (
            (self.cast.google, self.where.google),
            (self.cast.crm, self.where.crm),
        ):
            self._wait_for(functools.partial(_answers, url), program.name)

    def _wait_for(self, is_up: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        self.wait(lambda: is_up() or time.monotonic() > deadline)
        if time.monotonic() > deadline and not is_up():
            message = f"{name} did not start within {_PATIENCE_SECONDS:g} s"
            raise TooSlowError(message)

    def _seed(self, step: str) -> list[User]:
        kept = self.home.kept
        told = {
            "receiver": self.where.receiver,
            "google": self.where.google,
            "crm": self.where.crm,
            "crm_api_key": kept.crm_api_key,
            "admin_token": kept.admin_token or "",
            "google_client_id": kept.google_client_id,
            "google_client_secret": kept.google_client_secret,
        }
        return seeding.run([*self.cast.seed, step], told, self.wait)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=_PROBE_SECONDS).ok
    except requests.RequestException:
        return False
