"""The store: SQLAlchemy tables, queries, and the unit of work around them.

Works on PostgreSQL and on SQLite (WAL). No query is built outside this package.
"""

from shared.adapters.store.repositories.jobs import JobFilter
from shared.adapters.store.repositories.ownership import REMOVED, SHOWN, Owner
from shared.adapters.store.repositories.repository import Page
from shared.adapters.store.scratch import Scratch
from shared.adapters.store.sealed import Survey
from shared.adapters.store.store import Store
from shared.adapters.store.unit_of_work import UnitOfWork

__all__ = [
    "REMOVED",
    "SHOWN",
    "JobFilter",
    "Owner",
    "Page",
    "Scratch",
    "Store",
    "Survey",
    "UnitOfWork",
]
