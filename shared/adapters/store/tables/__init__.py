"""The tables. A row is a plain object that stays readable after its unit of work.

Documents are JSON as the CRM or Google sent them, or as `domain.mapping` writes them. A
change inside a document or list goes unnoticed: assign a new one.
"""

from shared.adapters.store.tables.access import ApiToken, LoginCode, OAuthState
from shared.adapters.store.tables.base import Base, Document
from shared.adapters.store.tables.history import (
    Budget,
    DeadLetter,
    Job,
    JobItem,
    Preview,
)
from shared.adapters.store.tables.parties import (
    Calendar,
    Channel,
    Connection,
    CrmUser,
    Organization,
)
from shared.adapters.store.tables.records import (
    Conflict,
    Copy,
    HeldDeletion,
    Link,
    Orphan,
    Search,
)

__all__ = [
    "ApiToken",
    "Base",
    "Budget",
    "Calendar",
    "Channel",
    "Conflict",
    "Connection",
    "Copy",
    "CrmUser",
    "DeadLetter",
    "Document",
    "HeldDeletion",
    "Job",
    "JobItem",
    "Link",
    "LoginCode",
    "OAuthState",
    "Organization",
    "Orphan",
    "Preview",
    "Search",
]
