"""The environment of the demo: the product's variables, pointing to the simulators."""

import os
from collections.abc import Mapping

from deploy.cli.demo import addresses
from deploy.cli.demo.addresses import Addresses
from deploy.cli.demo.home import Home
from shared.config import Config


def put(home: Home, where: Addresses) -> None:
    """Set this process's environment, which all parts of the demo inherit.

    `DATABASE_URL` and `AMQP_URL` stay what they are, here or in `.env`.
    """
    os.environ.update(_google(where), PUBLIC_URL=where.receiver)
    if not os.environ.get("SECRET_KEYS"):
        os.environ["SECRET_KEYS"] = home.kept.secret_key
    for name in ("NO_PROXY", "no_proxy"):
        others = os.environ.get(name)
        os.environ[name] = f"{others},{addresses.HOST}" if others else addresses.HOST
    chosen = Config.from_environment().model_fields_set
    if "database_url" not in chosen:
        os.environ["DATABASE_URL"] = f"sqlite:///{home.product}/calendar-sync.db"
    if "log_level" not in chosen:
        os.environ["LOG_LEVEL"] = "warning"


def of_commands(where: Addresses) -> Mapping[str, str]:
    """Return what another `calendar-sync` needs to meet the demo."""
    config = Config.from_environment()
    found = {
        "DATABASE_URL": config.database_url,
        "AMQP_URL": config.amqp_url or "",
        "SECRET_KEYS": os.environ["SECRET_KEYS"],
        "PUBLIC_URL": where.receiver,
    }
    return {name: value for name, value in found.items() if value} | _google(where)


def _google(where: Addresses) -> dict[str, str]:
    return {
        "GOOGLE_API_URL": where.google,
        "GOOGLE_AUTH_URL": f"{where.google}/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URL": f"{where.google}/token",
        "GOOGLE_REVOKE_URL": f"{where.google}/revoke",
        "GOOGLE_PUSH_ADDRESS": f"{where.receiver}/webhooks/google",
    }
