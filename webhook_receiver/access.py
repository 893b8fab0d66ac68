"""Finds out who is calling: by a token of the API, or by the session of a page."""

from http import HTTPStatus

from flask import request

from shared.adapters.store import UnitOfWork
from shared.domain import signing
from webhook_receiver import problems, sessions
from webhook_receiver.identity import Identity
from webhook_receiver.services import Services

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Access:
    """Lets requests in."""

    def __init__(self, services: Services) -> None:
        """Take where tokens are stored."""
        self._store = services.store
        self._clock = services.clock

    def authenticate(self) -> Identity:
        """Return who is calling; a token goes before a session.

        Raises `ProblemError`: 401 for nobody, 403 for an unsafe request of a session
        that does not carry its token against forgery.
        """
        if "Authorization" in request.headers:
            return self._bearer()
        identity = self.signed_in()
        if identity is None:
            detail = "Send a bearer token, or sign in."
            raise problems.ProblemError(HTTPStatus.UNAUTHORIZED, detail)
        if request.method not in _SAFE:
            require_csrf_token(request.headers.get(sessions.CSRF_HEADER, ""))
        return identity

    def signed_in(self) -> Identity | None:
        """Return who is signed in at the pages."""
        identity = sessions.current(self._clock.now())
        if identity is None:
            return None
        with self._store.read() as work:
            exists = work.organizations.get(identity.organization_id) is not None
        if not exists:
            sessions.sign_out()
            return None
        return identity

    def _bearer(self) -> Identity:
        given = request.authorization
        token = given.token if given and given.type == "bearer" else None
        with self._store.read() as work:
            identity = self._known(work, token or "")
        if identity is None:
            detail = "The bearer token is not known, or has expired."
            raise problems.ProblemError(HTTPStatus.UNAUTHORIZED, detail)
        return identity

    def _known(self, work: UnitOfWork, token: str) -> Identity | None:
        token_hash = signing.hash_secret(token)
        row = work.tokens.by_hash(token_hash, now=self._clock.now())
        if row is None:
            return None
        return Identity(
            organization_id=row.organization_id,
            role=row.role,
            crm_user_id=row.crm_user_id,
        )


def require_csrf_token(given: str) -> None:
    """Raise the 403 for a request that another site may have forged."""
    if not sessions.is_csrf_token(given):
        detail = f"The header {sessions.CSRF_HEADER} does not fit the session."
        raise problems.ProblemError(HTTPStatus.FORBIDDEN, detail)
