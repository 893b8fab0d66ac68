"""Authorization requests: what a client asks for when it sends a person to sign in.

https://developers.google.com/identity/protocols/oauth2/web-server#creatingclient
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from deploy.demo.google import (
    oauth_clients,
    oauth_codes,
    oauth_errors,
    oauth_scopes,
)

_REQUIRED = ("client_id", "redirect_uri", "response_type", "scope")
_PROMPTS = {"none", "consent", "select_account"}
_REFUSALS = {
    "admin_policy_enforced": "Access to your account data is restricted by policies "
    "within your organization.",
    "deleted_client": "The OAuth client was deleted.",
    "disallowed_useragent": "You can't sign in from this screen because this app "
    "doesn't comply with Google's secure browsers policy.",
    "org_internal": "This client is restricted to users within its organization.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A valid request; `state` is None when the client sent none."""

    client: oauth_clients.Client
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    offline: bool
    prompts: frozenset[str]
    merges_earlier: bool
    login_hint: str
    nonce: str
    challenge: oauth_codes.Challenge

    def redirect(self, **parameters: str) -> str:
        """Return the client's address with its state and the parameters."""
        state = {} if self.state is None else {"state": self.state}
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{separator}{urlencode({**state, **parameters})}"


def parse(
    query: Mapping[str, str], clients: oauth_clients.Clients
) -> AuthorizationRequest:
    """Return the request in a query; raises `OAuthError`, which only its page shows."""
    for name in _REQUIRED:
        if not query.get(name):
            raise oauth_errors.invalid_request(f"Required parameter is missing: {name}")
    client = _client(query, clients)
    if query["response_type"] != "code":
        description = f"Invalid response_type: {query['response_type']}"
        raise oauth_errors.OAuthError("unsupported_response_type", description)
    return AuthorizationRequest(
        client=client,
        redirect_uri=query["redirect_uri"],
        scopes=_scopes(query["scope"]),
        state=query.get("state"),
        offline=_choice(query, "access_type", ("online", "offline")) == "offline",
        prompts=_prompts(query.get("prompt", "")),
        merges_earlier=_choice(query, "include_granted_scopes", ("false", "true"))
        == "true",
        login_hint=query.get("login_hint", ""),
        nonce=query.get("nonce", ""),
        challenge=_challenge(query),
    )


def _client(
    query: Mapping[str, str], clients: oauth_clients.Clients
) -> oauth_clients.Client:
    client = clients.find(query["client_id"])
    if client is None:
        raise oauth_errors.unknown_client()
    if client.refusal:
        description = _REFUSALS.get(client.refusal, "Access was blocked.")
        raise oauth_errors.OAuthError(client.refusal, description, HTTPStatus.FORBIDDEN)
    if query["redirect_uri"] not in client.redirect_uris:
        description = (
            "You can't sign in to this app because it doesn't comply with Google's "
            "OAuth 2.0 policy. Its developer must register this redirect address: "
            f"{query['redirect_uri']}"
        )
        raise oauth_errors.OAuthError("redirect_uri_mismatch", description)
    return client


def _scopes(text: str) -> tuple[str, ...]:
    scopes = oauth_scopes.parse(text)
    if unknown := oauth_scopes.unknown(scopes):
        description = f"Some requested scopes were invalid: {', '.join(unknown)}"
        raise oauth_errors.OAuthError("invalid_scope", description)
    return scopes


def _choice(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = query.get(name, allowed[0])
    if value not in allowed:
        description = f"Invalid parameter value for {name}: '{value}'"
        raise oauth_errors.invalid_request(description)
    return value


def _prompts(text: str) -> frozenset[str]:
    prompts = frozenset(text.split())
    if not prompts <= _PROMPTS or ("none" in prompts and len(prompts) > 1):
        description = f"Invalid parameter value for prompt: '{text}'"
        raise oauth_errors.invalid_request(description)
    return prompts


def _challenge(query: Mapping[str, str]) -> oauth_codes.Challenge:
    value = query.get("code_challenge", "")
    if not value and "code_challenge_method" in query:
        description = "code_challenge_method needs a code_challenge"
        raise oauth_errors.invalid_request(description)
    method = _choice(query, "code_challenge_method", ("plain", "S256"))
    return oauth_codes.Challenge(value=value, method=method)
