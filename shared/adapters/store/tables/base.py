"""What every table has in common."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from shared.adapters.store.types import Instant, Json

Document = dict[str, Any]


class Base(DeclarativeBase):
    """What every table has in common: how Python types become columns."""

    # Named constraints are what a later migration can drop again.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant(),
        Document: Json,
        list[str]: Json,
    }
