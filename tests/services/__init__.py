"""The services behind the integration and e2e tests and the benchmarks.

`python -m tests.services [NAME ...] -- COMMAND` provides what is missing of RabbitMQ,
PostgreSQL, Chromium and the tools that read the deployment files, starts the two
servers side by side in private directories on private ports, runs the command with
their addresses in its environment, and stops them.
Whoever runs below it takes a virtual host or a database of its own from there.
"""

from tests.services.databases import database
from tests.services.errors import MissingServiceError
from tests.services.vhosts import virtual_host

__all__ = ["MissingServiceError", "database", "virtual_host"]
