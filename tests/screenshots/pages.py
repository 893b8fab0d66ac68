"""Which pages are photographed, for whom, and what must have happened before."""

from collections.abc import Mapping

from tests.e2e.demo import Demo

Wanted = tuple[str, str | None, Mapping[str, str]]
"""A role, a CRM user, and the paths to photograph by the names of their pictures."""

WANTED: tuple[Wanted, ...] = (
    (
        "admin",
        None,
        {
            "history": "/admin/history",
            "job": "/admin/history/1",
            "reference": "/reference",
        },
    ),
    ("user", "anna", {"me": "/me"}),
)


def prepare(demo: Demo) -> None:
    """Let something happen in the demo that is worth a picture."""
