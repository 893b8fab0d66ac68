"""The programs of the demo: both simulators, the product, and what seeds them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.cli.demo.addresses import HOST, Addresses
from deploy.cli.demo.home import Home
from deploy.cli.demo.organization import NAME
from deploy.cli.supervision import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays in the demo; `seed` is the command that takes a step's name."""

    google: Program
    crm: Program
    product: Program
    seed: Sequence[str]


def cast(home: Home, where: Addresses) -> Cast:
    """Return the programs, with the environment as it is now."""
    return Cast(
        google=_program(
            "simulated-google",
            "deploy.demo.google",
            *_listen(where.google_port),
            *("--data", str(home.google)),
        ),
        crm=_program(
            "simulated-crm",
            "deploy.demo.crm",
            *_listen(where.crm_port),
            *("--data", str(home.crm)),
            *("--api-key", home.kept.crm_api_key),
            *("--webhook-secret", home.kept.webhook_secret),
            *("--webhook-url", f"{where.receiver}/webhooks/crm/{NAME}"),
        ),
        product=_program(
            "calendar-sync", "deploy.cli", "run", *_listen(where.receiver_port)
        ),
        seed=_module("deploy.demo.seed"),
    )


def _program(name: str, module: str, *options: str) -> Program:
    # What they print is for whoever starts them alone; they log to standard error.
    return Program(
        name=name,
        command=[*_module(module), *options],
        environment=dict(os.environ),
        output=subprocess.DEVNULL,
    )


def _module(name: str) -> list[str]:
    # Without the present directory, whose files could be taken for modules.
    return [sys.executable, "-P", "-m", name]


def _listen(port: int) -> list[str]:
    return ["--host", HOST, "--port", str(port)]
