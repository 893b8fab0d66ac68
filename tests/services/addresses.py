"""The environment variables that tell the tests where the services are."""

import os

from tests.services.errors import MissingServiceError

AMQP_URL = "TEST_AMQP_URL"
RABBITMQ_API = "TEST_RABBITMQ_API"
"""Root of the management API, credentials included; it makes virtual hosts."""
DATABASE_URL = "TEST_DATABASE_URL"
CHROMIUM = "TEST_CHROMIUM"
"""Path of the browser."""


def found(*names: str) -> str | None:
    """Return the value of the first of these variables that has one, or None."""
    return next((value for name in names if (value := os.environ.get(name))), None)


def needed(name: str) -> str:
    """Return the value of a variable; raises `MissingServiceError` without one."""
    value = found(name)
    if value is None:
        message = f"{name} is not set: run make test, or python -m tests.services"
        raise MissingServiceError(message)
    return value
