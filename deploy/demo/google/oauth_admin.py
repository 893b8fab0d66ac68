"""What tests and the demo ask of the OAuth server behind Google's back: `/_admin`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, jsonify, request

from deploy.demo.google import (
    oauth_accounts,
    oauth_clients,
    oauth_consent,
    oauth_errors,
    oauth_request,
    oauth_tokens,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """The views; `register` adds them to a blueprint. Bad input answers 400."""

    clients: oauth_clients.Clients
    consent: oauth_consent.Consent
    tokens: oauth_tokens.Tokens
    accounts: oauth_accounts.Directory

    def register(self, blueprint: Blueprint) -> None:
        """Serve the admin endpoints of OAuth."""
        for name, view in (
            ("clients", self.register_client),
            ("consent", self.answer_consent),
            ("revoke", self.revoke_account),
            ("expire-access-tokens", self.expire_access_tokens),
        ):
            blueprint.add_url_rule(
                f"/_admin/{name}", view.__name__, view, methods=["POST"]
            )

    def register_client(self) -> Response:
        """Register a client.

        Fields: client_id, client_secret, redirect_uris; name, shown on the consent
        page; refusal, an error such as `org_internal` to block the app with.
        """
        body = _body()
        client = oauth_clients.Client(
            client_id=_text(body, "client_id"),
            client_secret=_text(body, "client_secret"),
            redirect_uris=_texts(body, "redirect_uris"),
            name=_text(body, "name", ""),
            refusal=_text(body, "refusal", ""),
        )
        self.clients.register(client)
        return jsonify({"client_id": client.client_id})

    def answer_consent(self) -> Response:
        """Answer an authorization request as a person would on the page.

        Fields: authorization_url; account (default: its login_hint); untick, scopes to
        leave out; deny. Answers where the browser would be redirected to.
        """
        body = _body()
        query = dict(parse_qsl(urlsplit(_text(body, "authorization_url")).query))
        wanted = oauth_request.parse(query, self.clients)
        if body.get("deny", False):
            return jsonify({"redirect_to": self.consent.deny(wanted)})
        account = self._account(_text(body, "account", wanted.login_hint))
        choices = self.consent.question(wanted, account).choices
        unticked = _texts(body, "untick", ())
        if fixed := sorted(set(unticked) - set(choices)):
            description = f"untick: the page has no checkbox for {', '.join(fixed)}"
            raise oauth_errors.invalid_request(description)
        ticked = set(choices) - set(unticked)
        return jsonify({"redirect_to": self.consent.allow(wanted, account, ticked)})

    def revoke_account(self) -> Response:
        """Revoke all grants of `account`, as a person can in the Google account."""
        account = self._account(_text(_body(), "account"))
        return jsonify({"revoked": self.tokens.revoke_account(account)})

    def expire_access_tokens(self) -> Response:
        """Expire the access tokens of `account`, or of everybody."""
        name = _text(_body(), "account", "")
        account = self._account(name) if name else None
        return jsonify({"expired": self.tokens.expire_access_tokens(account)})

    def _account(self, name: str) -> str:
        account = oauth_accounts.find(self.accounts(), name)
        if account is None:
            raise oauth_errors.OAuthError(
                "not_found", f"account: there is no {name!r}", HTTPStatus.NOT_FOUND
            )
        return account.address


def _body() -> Mapping[str, object]:
    body = request.get_json(force=True, silent=True) if request.data else {}
    if not isinstance(body, dict):
        raise oauth_errors.invalid_request("the body must be a JSON object")
    return body


def _text(body: Mapping[str, object], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise oauth_errors.invalid_request(f"{name}: must be a text")
    return value


def _texts(
    body: Mapping[str, object], name: str, default: Sequence[str] | None = None
) -> tuple[str, ...]:
    value = body.get(name, default)
    if not isinstance(value, list | tuple) or not all(
        isinstance(entry, str) for entry in value
    ):
        raise oauth_errors.invalid_request(f"{name}: must be a list of texts")
    return tuple(value)
