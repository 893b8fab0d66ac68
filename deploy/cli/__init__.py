"""The `calendar-sync` command.

Only here is the environment read and are adapters built. `entry` finds the command that
is wanted and imports it alone, so that a process carries no more than its own parts.
"""

from deploy.cli.entry import main

__all__ = ["main"]
