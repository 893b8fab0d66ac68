"""The configuration: environment variables, checked all at once at the start."""

import contextlib
import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from shared.adapters import crypto
from shared.adapters.broker_rabbitmq import connecting
from shared.domain import errors

DEFAULT_DATABASE = "sqlite:///var/calendar-sync.db"


def is_loopback(host: str | None) -> bool:
    """Tell whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _http_url(value: str) -> str:
    parts = _parts(value)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "must be an http or https address"
        raise ValueError(message)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        message = "must be https; http is accepted only for this machine"
        raise ValueError(message)
    return value.rstrip("/")


def _root_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.username or parts.query or parts.fragment:
        message = "must name no user, and have neither ? nor #: paths are added to it"
        raise ValueError(message)
    return value


def _parts(value: str) -> SplitResult | None:
    """Return the parts of an address; None when it cannot be read."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _database_url(value: str) -> str:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # of a port that is no number, the latter
        message = (
            "must look like sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        )
        raise ValueError(message) from None
    if url.drivername == "postgresql":
        # SQLAlchemy 2.1 would take psycopg 3 for the bare name.
        url = url.set(drivername="postgresql+psycopg2")
    if url.drivername not in {"sqlite", "postgresql+psycopg2"}:
        message = "must begin with sqlite:// or postgresql://"
        raise ValueError(message)
    if url.drivername == "sqlite" and url.database in {None, "", ":memory:"}:
        message = "must name a file, as in sqlite:///FILE"
        raise ValueError(message)
    return url.render_as_string(hide_password=False)


def _amqp_url(value: str) -> str:
    for address in connecting.addresses(value):
        parts = _parts(address)
        if parts is None or "," in (parts.hostname or "") or "://" in parts.path:
            message = (
                "must look like amqp://user:password@host:5672/vhost; of a cluster, "
                "one such address for each node, with commas between them"
            )
            raise ValueError(message)
        if parts.scheme not in {"amqp", "amqps"}:
            message = "must begin with amqp:// or amqps://"
            raise ValueError(message)
    return value


def _split(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def root_url(value: str) -> str:
    """Return an address that paths are added to; raises `ValueError` for another."""
    return _root_url(_http_url(value))


def _collector_url(value: str) -> str:
    parts = _parts(value)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "must be an http or https address, such as http://collector:4318"
        raise ValueError(message)
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
RootUrl = Annotated[str, AfterValidator(root_url)]
"""One that paths are added to."""

_LOWER = BeforeValidator(str.lower)

Days = Annotated[int, Field(ge=0, le=36500)]
"""For how long something is kept, in days; 0 is for ever."""


class Config(BaseSettings):
    """What a process needs to know; every field is a variable of the same name."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: Annotated[str, AfterValidator(_database_url)] = DEFAULT_DATABASE
    amqp_url: Annotated[str, AfterValidator(_amqp_url)] | None = Field(
        default=None, repr=False
    )
    public_url: RootUrl = "http://localhost:8080"
    secret_keys: Annotated[
        tuple[SecretStr, ...],
        NoDecode,
        BeforeValidator(_split),
        Field(validate_default=True),
    ] = ()
    google_api_url: RootUrl = "https://www.googleapis.com"
    google_auth_url: HttpUrl = "https://accounts.google.com/o/oauth2/v2/auth"
    google_token_url: HttpUrl = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    google_revoke_url: HttpUrl = "https://oauth2.googleapis.com/revoke"
    google_push_address: HttpUrl | None = None
    safety_poll_seconds: Annotated[int, Field(ge=1)] = 900
    history_days: Days = 90
    conflicts_days: Days = 90
    dead_letters_days: Days = 365
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _LOWER] = "info"
    log_format: Annotated[Literal["text", "json"], _LOWER] | None = None
    otel_exporter_otlp_endpoint: (
        Annotated[str, AfterValidator(_collector_url)] | None
    ) = None
    otel_traces_exporter: Annotated[Literal["otlp", "none"], _LOWER] = "otlp"

    @classmethod
    def from_environment(cls) -> Self:
        """Return the configuration; raises `ConfigurationError` with all problems."""
        try:
            return cls()
        except ValidationError as error:
            raise errors.ConfigurationError(_problems(error)) from None
        except (OSError, UnicodeError) as error:
            problem = f".env: cannot be read ({type(error).__name__})"
            raise errors.ConfigurationError([problem]) from error

    @field_validator("secret_keys")
    @classmethod
    def _check_keys(
        cls, keys: tuple[SecretStr, ...], info: ValidationInfo
    ) -> tuple[SecretStr, ...]:
        """Check the keys as a field, so that its problems are told with all others."""
        # What is wrong itself is missing here; it was given, though.
        database = info.data.get("database_url", DEFAULT_DATABASE)
        if keys:
            crypto.Keys([key.get_secret_value() for key in keys])
        elif not _is_embedded(database, info.data.get("amqp_url", "given")):
            message = (
                "is required with AMQP_URL or PostgreSQL; make one with: "
                "openssl rand -base64 32 | tr +/ -_"
            )
            raise ValueError(message)
        return keys

    @property
    def is_embedded(self) -> bool:
        """Tell whether this machine is all there is: SQLite and the local broker."""
        return _is_embedded(self.database_url, self.amqp_url)

    @property
    def traces_url(self) -> str | None:
        """The address that spans are sent to; None where nobody traces."""
        root = self.otel_exporter_otlp_endpoint
        if root is None or self.otel_traces_exporter == "none":
            return None
        return f"{root}/v1/traces"

    @property
    def data_directory(self) -> Path:
        """Where an embedded installation keeps its files."""
        database = make_url(self.database_url).database
        return Path(database or "var/calendar-sync.db").parent

    @property
    def push_address(self) -> str:
        """The address that Google's notifications are sent to."""
        return self.google_push_address or f"{self.public_url}/webhooks/google"

    def keys(self) -> crypto.Keys:
        """Return the encryption keys; in embedded mode make them once and keep them.

        Raises `ConfigurationError` when a key is not a Fernet key.
        """
        configured = [key.get_secret_value() for key in self.secret_keys]
        try:
            return crypto.Keys(configured or [self._own_key()])
        except ValueError as error:
            raise errors.ConfigurationError([f"SECRET_KEYS: {error}"]) from None

    def _own_key(self) -> str:
        path = self.data_directory / "secret-key"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f"secret-key.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(crypto.Keys.generate())
            # Linking makes exactly one of several starting processes the author.
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(draft)
            draft.unlink()
        return path.read_text().strip()


def _is_embedded(database_url: str, amqp_url: str | None) -> bool:
    return amqp_url is None and database_url.startswith("sqlite")


def _problems(error: ValidationError) -> list[str]:
    problems = []
    for detail in error.errors(include_input=False):
        text = detail["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in detail["loc"][:1]).upper()
        problems.append(f"{name}: {text}" if name else text)
    return problems
