"""The endpoints that clients call: tokens, revocation, token information, keys.

https://developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from flask import Blueprint, Response, jsonify, request

from deploy.demo import clock
from deploy.demo.google import (
    oauth_accounts,
    oauth_clients,
    oauth_codes,
    oauth_errors,
    oauth_identity,
    oauth_scopes,
    oauth_tokens,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The views; `register` adds them to a blueprint."""

    clients: oauth_clients.Clients
    codes: oauth_codes.Codes
    tokens: oauth_tokens.Tokens
    signer: oauth_identity.Signer
    accounts: oauth_accounts.Directory
    clock: clock.Clock

    def register(self, blueprint: Blueprint) -> None:
        """Serve `/token`, `/revoke`, `/tokeninfo` and `/oauth2/v3/certs`."""
        rules: tuple[tuple[str, Callable[[], Response], list[str]], ...] = (
            ("/token", self.token, ["POST"]),
            ("/revoke", self.revoke, ["GET", "POST"]),
            ("/tokeninfo", self.token_information, ["GET", "POST"]),
            ("/oauth2/v3/certs", self.keys, ["GET"]),
        )
        for path, view, methods in rules:
            blueprint.add_url_rule(path, view.__name__, view, methods=methods)
        blueprint.register_error_handler(oauth_errors.OAuthError, _refusal)

    def token(self) -> Response:
        """Exchange a code, or refresh an access token."""
        grant_type = _required("grant_type")
        if grant_type == "authorization_code":
            return self._exchange(self._client())
        if grant_type == "refresh_token":
            return self._refresh(self._client())
        description = f"Invalid grant_type: {grant_type}"
        raise oauth_errors.OAuthError("unsupported_grant_type", description)

    def revoke(self) -> Response:
        """Withdraw the grant of the access or refresh token in `token`."""
        self.tokens.revoke(_required("token"))
        return jsonify({})

    def token_information(self) -> Response:
        """Tell what the access token in `access_token` carries."""
        issued = self.tokens.inspect(_required("access_token"))
        if issued is None:
            raise oauth_errors.OAuthError("invalid_token", "Invalid Value")
        remaining = issued.expires_at - self.clock.now()
        information = {
            "azp": issued.client_id,
            "aud": issued.client_id,
            "sub": oauth_accounts.subject(issued.account),
            "scope": " ".join(issued.scopes),
            "exp": str(int(issued.expires_at.timestamp())),
            "expires_in": str(int(remaining.total_seconds())),
        }
        if oauth_scopes.EMAIL in issued.scopes:
            information |= {"email": issued.account, "email_verified": "true"}
        return jsonify(information)

    def keys(self) -> Response:
        """Publish the keys that verify id tokens."""
        return jsonify(self.signer.public_keys())

    def _client(self) -> oauth_clients.Client:
        """Authenticate the client by HTTP Basic or by fields of the form."""
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            client_id = unquote(basic.username or "")
            client_secret = unquote(basic.password or "")
        else:
            client_id = _required("client_id")
            client_secret = request.values.get("client_secret", "")
        client = self.clients.find(client_id)
        if client is None:
            raise oauth_errors.unknown_client()
        if not client_secret:
            description = "client_secret is missing."
            raise oauth_errors.invalid_request(description)
        if not secrets.compare_digest(
            client_secret.encode(), client.client_secret.encode()
        ):
            raise oauth_errors.OAuthError(
                "invalid_client", "Unauthorized", HTTPStatus.UNAUTHORIZED
            )
        return client

    def _exchange(self, client: oauth_clients.Client) -> Response:
        code = self.codes.redeem(
            _required("code"),
            client_id=client.client_id,
            redirect_uri=_required("redirect_uri"),
            verifier=request.values.get("code_verifier", ""),
        )
        return self._answer(self.tokens.issue(code, client), code.nonce)

    def _refresh(self, client: oauth_clients.Client) -> Response:
        scopes = oauth_scopes.parse(request.values.get("scope", ""))
        token = _required("refresh_token")
        return self._answer(self.tokens.refresh(token, client, scopes))

    def _answer(self, issued: oauth_tokens.Issued, nonce: str = "") -> Response:
        lifetime = issued.expires_at - self.clock.now()
        answer: dict[str, object] = {
            "access_token": issued.access_token,
            "expires_in": round(lifetime.total_seconds()),
            "scope": " ".join(issued.scopes),
            "token_type": "Bearer",
        }
        if issued.refresh_token:
            answer["refresh_token"] = issued.refresh_token
        if oauth_scopes.OPENID in issued.scopes:
            account = oauth_accounts.find(self.accounts(), issued.account)
            name = account.name if account else ""
            answer["id_token"] = self.signer.sign(issued, name, nonce)
        return _uncached(jsonify(answer))


def _required(name: str) -> str:
    value = request.values.get(name, "")
    if not value:
        raise oauth_errors.invalid_request(f"Required parameter is missing: {name}")
    return value


def _refusal(error: oauth_errors.OAuthError) -> Response:
    answer = jsonify({"error": error.error, "error_description": error.description})
    answer.status_code = error.status
    return _uncached(answer)


def _uncached(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
