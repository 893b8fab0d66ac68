"""Takes users to Google's consent page, and what they grant from there."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import jwt
import requests
from google_auth_oauthlib.flow import Flow  # type: ignore[import-untyped] # ships none

from shared.adapters.google_oauth import account, refusals, values
from shared.domain import errors, model, ports

_ISSUERS = {"https://accounts.google.com", "accounts.google.com"}
_LEEWAY = timedelta(seconds=30)

# At DEBUG it writes codes and tokens.
logging.getLogger("requests_oauthlib").setLevel(logging.INFO)


class GoogleOAuth:
    """Google's consent page and token endpoints; safe to use from any thread."""

    def __init__(
        self,
        endpoints: values.Endpoints,
        clock: ports.Clock,
        *,
        timeout_seconds: float = 20,
    ) -> None:
        """Take where to go and how long to wait for each answer."""
        self._endpoints = endpoints
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    def authorization(
        self,
        client: values.Client,
        *,
        redirect_uri: str,
        state: str,
        login_hint: str | None = None,
    ) -> values.Authorization:
        """Return the address of the consent page, for a new refresh token (fact 201).

        `login_hint` is the address of the account that is to be offered first.
        """
        flow = self._flow(client, redirect_uri, scopes=values.SCOPES)
        url, _ = flow.authorization_url(
            state=state,
            access_type="offline",
            include_granted_scopes="true",  # text: fact 263
            prompt="consent",
            login_hint=login_hint,
        )
        plain = _is_plain(self._endpoints.auth_url)
        return values.Authorization(
            url=_plain(url) if plain else url, code_verifier=flow.code_verifier
        )

    def exchange(
        self, client: values.Client, *, redirect_uri: str, code: str, code_verifier: str
    ) -> values.Grant:
        """Return what the user granted, for the code that the callback got.

        Raises `GrantRevokedError` for a code that is used, expired or not ours,
        `ClientRefusedError`, `RemoteUnavailableError`, `RateLimitError`, or another
        `RemoteAuthError`.
        """
        what = "the exchange of a code"
        flow = self._flow(client, redirect_uri, code_verifier=code_verifier)
        with flow.oauth2session as session, refusals.mapped(what):
            refusals.check_answers(session, what)
            # Secrets go into the body, as in Google's own examples (fact 261).
            answer = flow.fetch_token(
                code=code, include_client_id=True, timeout=self._timeout_seconds
            )
        return self._grant(client, answer)

    def check_client(self, client: values.Client, *, redirect_uri: str) -> None:
        """Find out whether Google accepts a client and its redirect address.

        Nobody has to consent. Raises `ClientRefusedError`, `RedirectRefusedError`,
        `RemoteUnavailableError`, `RateLimitError`, or another `RemoteAuthError`.
        """
        self._check_secret(client, redirect_uri)
        self._check_redirect(client, redirect_uri)

    def _check_secret(self, client: values.Client, redirect_uri: str) -> None:
        """Exchange a made-up code: only a client that is accepted hears about it."""
        what = "the check of the client"
        with refusals.mapped(what):
            answer = requests.post(
                self._endpoints.token_url,
                data={
                    "grant_type": "authorization_code",
                    "code": "4/made-up",
                    "client_id": client.client_id,
                    "client_secret": client.client_secret,
                    "redirect_uri": redirect_uri,
                },
                timeout=self._timeout_seconds,
                allow_redirects=False,
            )
        if refusals.code_of(answer) != "invalid_grant":
            raise refusals.refusal_of(answer, what)

    def _check_redirect(self, client: values.Client, redirect_uri: str) -> None:
        """Ask for the consent page: the token endpoint refuses the made-up code first.

        Google's page is the one place that checks the address (fact 204).
        """
        what = "the check of the redirect address"
        page = self.authorization(client, redirect_uri=redirect_uri, state="check")
        with refusals.mapped(what):
            answer = requests.get(
                page.url, timeout=self._timeout_seconds, allow_redirects=False
            )
        if code := refusals.code_of_page(answer):
            raise refusals.refusal(code, what)
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise refusals.refusal_of(answer, what)

    def credentials(
        self,
        client: values.Client,
        tokens: values.Tokens,
        *,
        on_refresh: Callable[[values.Tokens], None],
    ) -> account.AccountCredentials:
        """Return what lets requests in as the account that `tokens` came from.

        `on_refresh` is to store the tokens each time that the access token is new.
        Keep one object per account: it makes sure that only one thread refreshes.
        """
        return account.AccountCredentials(
            client,
            tokens,
            token_url=self._endpoints.token_url,
            on_refresh=on_refresh,
            timeout_seconds=self._timeout_seconds,
        )

    def revoke(self, token: str) -> None:
        """End a grant by its access or refresh token; one that has ended is no error.

        Raises `RemoteUnavailableError`, `RateLimitError` or a `RemoteAuthError`.
        """
        what = "the revocation of a grant"
        with refusals.mapped(what):
            answer = requests.post(
                self._endpoints.revoke_url,
                data={"token": token},
                timeout=self._timeout_seconds,
                allow_redirects=False,
            )
        if (
            answer.status_code == HTTPStatus.OK
            or refusals.code_of(answer) == "invalid_token"
        ):
            return
        raise refusals.refusal_of(answer, what)

    def _flow(
        self,
        client: values.Client,
        redirect_uri: str,
        **options: Any,  # noqa: ANN401 - Flow's
    ) -> Flow:
        """Return a flow; without scopes it takes any that were granted (fact 258)."""
        web = {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            # oauthlib knows no http, not even on this machine (fact 257).
            "auth_uri": _secure(self._endpoints.auth_url),
            "token_uri": _secure(self._endpoints.token_url),
        }
        options.setdefault("scopes", None)
        flow = Flow.from_client_config(
            {"web": web}, redirect_uri=redirect_uri, **options
        )
        if _is_plain(self._endpoints.token_url):
            flow.oauth2session.mount(web["token_uri"], _PlainAdapter())
        return flow

    def _grant(self, client: values.Client, answer: Mapping[str, Any]) -> values.Grant:
        claims = self._claims(answer.get("id_token", ""), client.client_id)
        if not answer.get("refresh_token"):
            message = "Google gave no refresh token; connect again"
            raise errors.RemoteAuthError(message)
        lifetime = timedelta(seconds=int(answer.get("expires_in", 0)))
        tokens = values.Tokens(
            refresh_token=answer["refresh_token"],
            access_token=answer["access_token"],
            expires_at=self._clock.now() + lifetime,
        )
        return values.Grant(
            sub=claims["sub"],
            address=model.Address(claims["email"].lower()),
            tokens=tokens,
            granted_scopes=frozenset(answer.get("scope", ())),
        )

    def _claims(self, id_token: str, client_id: str) -> dict[str, Any]:
        """Return the claims.

        The connection to the token endpoint vouches for the token; so its signature is
        not checked (OpenID Connect Core, 3.1.3.7).
        """
        try:
            claims = jwt.decode(id_token, options={"verify_signature": False})
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
            checks = {
                "iss": claims["iss"] in _ISSUERS,
                "aud": claims["aud"] == client_id,
                "exp": expires_at > self._clock.now() - _LEEWAY,
                "sub": bool(claims["sub"]),
                "email": bool(claims["email"]),
            }
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            message = "Google's id token is not readable"
            raise errors.RemoteAuthError(message) from error
        if wrong := [name for name, is_right in checks.items() if not is_right]:
            message = f"Google's id token has a wrong {', '.join(wrong)}"
            raise errors.RemoteAuthError(message)
        return claims


class _PlainAdapter(requests.adapters.HTTPAdapter):
    """Speaks http where oauthlib was told https: to a simulator on this machine."""

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,  # noqa: ANN401 - as requests has it
        **kwargs: Any,  # noqa: ANN401 - as requests has it
    ) -> requests.Response:
        request.url = _plain(request.url or "")
        return super().send(request, *args, **kwargs)


def _is_plain(url: str) -> bool:
    return url.startswith("http://")


def _plain(url: str) -> str:
    return "http://" + url.removeprefix("https://")


def _secure(url: str) -> str:
    return "https://" + url.removeprefix("http://").removeprefix("https://")
