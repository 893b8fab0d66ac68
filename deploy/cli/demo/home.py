"""The directory that a demo lives in, so that it goes on where it was stopped."""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from deploy.cli import exclusive
from shared.adapters import crypto
from shared.domain import errors, signing

_STATE = "demo.json"
_LOCK = "demo.lock"
_VARIABLES = ".env"
_FOLDERS = ("product", "google", "crm")
_OWN = {_STATE, _LOCK, _VARIABLES, *_FOLDERS}
_SECRET_BYTES = 24

User = Mapping[str, str]
"""As the demo's JSON line shows one: `crm_user_id`, `email`, `google_account`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a demo must not forget; `users` is None until they are planted."""

    secret_key: str = field(repr=False)
    crm_api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    google_client_id: str
    google_client_secret: str = field(repr=False)
    admin_token: str | None = field(default=None, repr=False)
    receiver_port: int | None = None
    """Where the watch channels lead to."""
    users: list[User] | None = None

    @classmethod
    def begin(cls) -> Self:
        """Make up the secrets of a new demo."""
        project = secrets.randbelow(10**12)
        return cls(
            secret_key=crypto.Keys.generate(),
            crm_api_key=f"crm_{secrets.token_urlsafe(_SECRET_BYTES)}",
            webhook_secret=signing.new_secret(secrets.token_bytes(_SECRET_BYTES)),
            google_client_id=f"{project:012}-demo.apps.googleusercontent.example",
            google_client_secret=secrets.token_urlsafe(_SECRET_BYTES),
        )


class Home:
    """The directory of one demo, and what is kept there."""

    def __init__(self, path: Path) -> None:
        """Take a directory that is ours; `opened` makes sure of that."""
        self.path = path.absolute()
        self.kept = self._read() or Kept.begin()

    @property
    def product(self) -> Path:
        """Where the product keeps its database in embedded mode."""
        return self.path / "product"

    @property
    def google(self) -> Path:
        """Where the simulated Google keeps its state."""
        return self.path / "google"

    @property
    def crm(self) -> Path:
        """Where the simulated CRM keeps its state."""
        return self.path / "crm"

    def keep(self, **changes: object) -> None:
        """Change what is kept, and write it down."""
        self.kept = replace(self.kept, **changes)  # type: ignore[arg-type] # by field
        self._write(_STATE, json.dumps(asdict(self.kept), indent=2) + "\n")

    def keep_variables(self, variables: Mapping[str, str]) -> None:
        """Let `calendar-sync` find its configuration when it is run in here."""
        lines = [f"{name}='{value}'\n" for name, value in variables.items()]
        self._write(_VARIABLES, "".join(lines))

    def forget(self) -> None:
        """Remove all that the demo wrote, and nothing else; begin anew."""
        # The state goes first: without it, what is left does not count any more.
        for name in (_STATE, _VARIABLES):
            (self.path / name).unlink(missing_ok=True)
        for name in _FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)
        self.kept = Kept.begin()

    def _read(self) -> Kept | None:
        try:
            return Kept(**json.loads((self.path / _STATE).read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            problem = f"--data: {self.path / _STATE} is damaged; start with --fresh"
            raise errors.ConfigurationError([problem]) from None

    def _write(self, name: str, text: str) -> None:
        draft = self.path / f"{name}.new"
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.replace(self.path / name)


@contextlib.contextmanager
def opened(path: Path, *, fresh: bool) -> Iterator[Home]:
    """Hold a directory for one demo; a fresh one begins with the seed again.

    Raises `ConfigurationError` when another demo runs in it, or it is none of ours.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = {entry.name for entry in path.iterdir()}
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        problem = f"--data: {path} cannot be used ({reason})"
        raise errors.ConfigurationError([problem]) from error
    if found and _STATE not in found and not found <= _OWN:
        problem = f"--data: {path} has files of somebody else; name another directory"
        raise errors.ConfigurationError([problem])
    with exclusive.held(path / _LOCK, f"--data: another demo runs in {path}"):
        if fresh:
            (path / _STATE).unlink(missing_ok=True)
        home = Home(path)
        if home.kept.users is None:
            # Fresh, new, or stopped while it was being planted.
            home.forget()
        home.keep()
        yield home
