"""A terminal at which commands are typed, each time on one database."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from deploy.cli import main
from shared.adapters import crypto
from shared.adapters.store import Store, UnitOfWork
from tests import store_rows, stub_server

SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="  # noqa: S105 - made up
API_KEY = "key-of-the-crm"
USERS = [
    {"id": "u1", "email": "Ann@acme.example", "name": "Ann", "active": True},
    {"id": "u2", "email": "ben@acme.example", "active": False},
]


class Console:
    """Runs commands in this process, with an environment of its own."""

    def __init__(self, database: Path, crm: stub_server.StubServer) -> None:
        """Take a migrated database, and a server in the place of the CRM's."""
        self.folder = database.parent
        self.crm = crm
        self.environment = {
            "DATABASE_URL": f"sqlite:///{database}",
            "SECRET_KEYS": store_rows.KEY,
            "PUBLIC_URL": "http://localhost:8123",
            # Nothing of the machine's own may reach the commands.
            "AMQP_URL": "",
            "METRICS_PORT": "",
            "LOG_LEVEL": "",
        }
        keys = crypto.Keys([store_rows.KEY])
        self.store = Store(self.environment["DATABASE_URL"], keys=keys)

    def run(self, *arguments: str, typed: str = "", **environment: str) -> Result:
        """Type a command, and what it asks for; return what became of it."""
        return CliRunner(env={**self.environment, **environment}).invoke(
            main,
            arguments,
            input=typed,
            prog_name="calendar-sync",
            catch_exceptions=False,
        )

    def done(self, *arguments: str) -> Result:
        """Type a command that must succeed."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result

    def read(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Type a command with --json and return what it printed."""
        return json.loads(self.done(*arguments, "--json").stdout)

    def found(self) -> AbstractContextManager[UnitOfWork]:
        """Open a unit of work that reads."""
        return self.store.read()

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """Open a unit of work."""
        return self.store.begin()

    def create(
        self, name: str = "acme", *more: str, users: Sequence[object] = USERS
    ) -> Result:
        """Create an organization whose CRM has these users."""
        self.crm.answer({"items": users, "next_cursor": None})
        return self.run("org", "create", name, *self.crm_options(), *more)

    def crm_options(self) -> Sequence[str]:
        """Return the options that say how to reach the CRM."""
        return (
            f"--crm-url={self.crm.url}/api/v1",
            f"--crm-api-key={API_KEY}",
            f"--crm-webhook-secret={SECRET}",
        )


def lines(text: str) -> list[str]:
    """Return the lines of an output."""
    return text.splitlines()
