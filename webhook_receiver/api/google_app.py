"""The organization's Google app: the client that its users consent to."""

from datetime import datetime
from http import HTTPMethod, HTTPStatus

from shared.adapters import google_oauth
from shared.adapters.store import tables
from shared.adapters.store.states import GoogleAppState
from shared.domain import errors
from webhook_receiver import consents, identity, oauth, problems
from webhook_receiver.api import routes, shapes
from webhook_receiver.services import Services

UNCLEAR = "Google did not answer clearly. Try again in a minute."
_KNOWN = {GoogleAppState.VERIFIED, GoogleAppState.API_DISABLED}
"""What is known from more than this check, and not contradicted by it."""
_GOOD = {GoogleAppState.ACCEPTED, *_KNOWN}


class GoogleAppDocument(shapes.Document):
    """The Google app; its secret is never shown."""

    client_id: str | None
    redirect_uri: str
    state: str
    connected_as: str | None
    checked_at: datetime | None


class GoogleAppBody(shapes.Body):
    """The client id and secret from the Google Cloud console."""

    client_id: shapes.Text
    client_secret: shapes.Text


class AuthorizationDocument(shapes.Document):
    """Where to send the browser of whoever is to consent."""

    authorization_url: str


class GoogleApp:
    """The calls about the Google app."""

    def __init__(self, services: Services) -> None:
        """Take the store, and Google's consent page and token endpoint."""
        self._store = services.store
        self._oauth = services.oauth
        self._clock = services.clock
        self._consents = consents.Consents(services)

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        admin, path = routes.ADMIN, "/google-app"
        shape = GoogleAppDocument
        api.add(HTTPMethod.GET, path, self.read_google_app, roles=admin, answer=shape)
        api.add(HTTPMethod.PUT, path, self.set_google_app, roles=admin, answer=shape)
        api.add(
            HTTPMethod.POST,
            f"{path}/connect",
            self.connect_google_app,
            roles=admin,
            answer=AuthorizationDocument,
            refuses=[HTTPStatus.CONFLICT],
        )
        api.add(
            HTTPMethod.POST,
            f"{path}/check",
            self.check_google_app,
            roles=admin,
            answer=shape,
            refuses=[HTTPStatus.CONFLICT],
        )

    def read_google_app(self) -> GoogleAppDocument:
        """Return the Google app of the organization."""
        with self._store.read() as work:
            row = work.organizations.by_id(identity.caller().organization_id)
        return self._document(row)

    def set_google_app(self, body: GoogleAppBody) -> GoogleAppDocument:
        """Set the client id and secret; they are unchecked until Google takes them.

        Connections that wait for that are probed at once, and go on by themselves.
        """
        with self._store.begin() as work:
            row = work.organizations.by_id(identity.caller().organization_id)
            row.google_client_id = body.client_id
            row.google_client_secret = body.client_secret
            row.google_app_state = GoogleAppState.UNCHECKED
            row.google_connected_as = None
            row.google_checked_at = None
            row.probed_at = None
            work.connections.probe_soon(row.id)
            work.commit()
        return self._document(row)

    def connect_google_app(self) -> AuthorizationDocument:
        """Begin a consent that shows whether Google accepts the app."""
        return authorization(self._consents, identity.caller().organization_id, None)

    def check_google_app(self) -> GoogleAppDocument:
        """Ask Google whether it accepts the client id, the secret and our address.

        `state` tells. Whether the Calendar API is switched on shows only once somebody
        has consented: connections that wait for that are probed at once.
        """
        with self._store.read() as work:
            row = work.organizations.by_id(identity.caller().organization_id)
        state = self._found(row)
        with self._store.begin() as work:
            row = work.organizations.by_id(row.id)
            row.google_app_state = state
            row.google_checked_at = self._clock.now()
            if state in _GOOD:
                row.probed_at = None
                work.connections.probe_soon(row.id)
            work.commit()
        return self._document(row)

    def _found(self, row: tables.Organization) -> str:
        try:
            client = consents.client_of(row)
        except consents.AppMissingError:
            raise problems.ProblemError(
                HTTPStatus.CONFLICT, oauth.APP_MISSING
            ) from None
        try:
            self._oauth.check_client(client, redirect_uri=self._consents.redirect_uri)
        except errors.ClientRefusedError:
            return GoogleAppState.REFUSED
        except google_oauth.RedirectRefusedError:
            return GoogleAppState.REDIRECT_REFUSED
        except (errors.RemoteAuthError, errors.RateLimitError) as error:
            raise problems.ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, UNCLEAR
            ) from error
        is_known = row.google_app_state in _KNOWN
        return row.google_app_state if is_known else GoogleAppState.ACCEPTED

    def _document(self, row: tables.Organization) -> GoogleAppDocument:
        return GoogleAppDocument(
            client_id=row.google_client_id,
            redirect_uri=self._consents.redirect_uri,
            state=row.google_app_state,
            connected_as=row.google_connected_as,
            checked_at=row.google_checked_at,
        )


def authorization(
    asked: consents.Consents,
    organization_id: int,
    crm_user_id: str | None,
    *,
    waits_for_start: bool = False,
) -> AuthorizationDocument:
    """Return where to consent; raises the 409 while the app is not set up."""
    try:
        url = asked.begin(organization_id, crm_user_id, waits_for_start=waits_for_start)
    except consents.AppMissingError:
        raise problems.ProblemError(HTTPStatus.CONFLICT, oauth.APP_MISSING) from None
    return AuthorizationDocument(authorization_url=url)
