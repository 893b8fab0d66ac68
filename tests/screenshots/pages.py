"""Which pages are photographed, for whom, and what must have happened before."""

from collections.abc import Mapping

from tests.e2e.demo import Demo
from tests.screenshots import happenings

Wanted = tuple[str, str | None, Mapping[str, str]]
"""A role, a CRM user, and the paths to photograph by the names of their pictures."""

WANTED: tuple[Wanted, ...] = (
    (
        "admin",
        None,
        {
            "overview": "/admin",
            "users": "/admin/users",
            "users-none": "/admin/users?search=nobody",
            "help": "/help",
            "history": "/admin/history",
            "job": "/admin/history/2",
            "setup": "/admin/setup",
            "settings": "/admin/settings",
            "reference": "/reference",
            "conflicts": "/admin/conflicts",
            "record": f"/record?event_id={happenings.CONTESTED}",
            "record-search": "/record",
            "held-deletions": "/admin/held-deletions",
            "dead-letters": "/admin/dead-letters",
            "orphans": "/admin/orphans",
        },
    ),
    ("user", "anna", {"me": "/me", "my-conflicts": "/me/conflicts"}),
    ("user", "dora", {"me-waiting": "/me"}),
    ("user", "emil", {"me-revoked": "/me"}),
    ("operator", None, {"dead-letter": "/admin/dead-letters/1"}),
)


def prepare(demo: Demo) -> None:
    """Let something happen in the demo that is worth a picture."""
    happenings.let_happen(demo)
