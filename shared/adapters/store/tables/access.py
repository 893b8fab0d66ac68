"""Who may call, and who is on the way in."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from shared.adapters.store.sealed import Encrypted
from shared.adapters.store.tables.base import Base
from shared.adapters.store.types import Id


class ApiToken(Base):
    """A token for the JSON API; only its hash is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(String(16))
    """A `Role`."""
    crm_user_id: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class LoginCode(Base):
    """A one-time sign-in address."""

    __tablename__ = "login_codes"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    role: Mapped[str] = mapped_column(String(16))
    crm_user_id: Mapped[str | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OAuthState(Base):
    """A consent that was asked for; without user it is the organization's own."""

    __tablename__ = "oauth_states"

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    crm_user_id: Mapped[str | None]
    code_verifier: Mapped[str] = mapped_column(Encrypted())
    waits_for_start: Mapped[bool] = mapped_column(default=False)
    """The user wants to see what the first sync would do before it begins."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
