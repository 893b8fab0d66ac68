"""The decisions of the consent page: what to ask, and where a person's answer leads."""

from collections.abc import Collection
from dataclasses import dataclass

from deploy.demo.google import (
    oauth_codes,
    oauth_request,
    oauth_scopes,
    oauth_tokens,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the page asks: scopes already held, and those that can be unticked."""

    sign_in: tuple[str, ...]
    held: tuple[str, ...]
    choices: tuple[str, ...]

    @property
    def single(self) -> bool:
        """Whether there is one thing to grant, which Google asks without a checkbox."""
        return len(self.choices) == 1


class Consent:
    """Turns a person's answer to an authorization request into a redirect."""

    def __init__(self, codes: oauth_codes.Codes, tokens: oauth_tokens.Tokens) -> None:
        """Issue codes from these; the tokens tell whether one was issued before."""
        self._codes = codes
        self._tokens = tokens

    def question(
        self, request: oauth_request.AuthorizationRequest, account: str
    ) -> Question:
        """Return what this account has to be asked."""
        asked = [s for s in request.scopes if s not in oauth_scopes.SIGN_IN]
        earlier = self._codes.consented(account, request.client)
        held = tuple(s for s in asked if request.merges_earlier and s in earlier)
        return Question(
            sign_in=tuple(s for s in request.scopes if s in oauth_scopes.SIGN_IN),
            held=held,
            choices=tuple(s for s in asked if s not in held),
        )

    def is_settled(
        self, request: oauth_request.AuthorizationRequest, account: str
    ) -> bool:
        """Say whether everything asked for was granted before, so no page is due."""
        earlier = set(self._codes.consented(account, request.client))
        return "consent" not in request.prompts and earlier.issuperset(request.scopes)

    def allow(
        self,
        request: oauth_request.AuthorizationRequest,
        account: str,
        ticked: Collection[str],
    ) -> str:
        """Return where the browser goes with a code for the ticked scopes.

        Signing in and what is already held cannot be unticked; nothing at all granted
        is a denial.
        """
        question = self.question(request, account)
        kept = {*question.sign_in, *question.held, *ticked}
        if question.single:
            kept.update(question.choices)
        scopes = tuple(s for s in request.scopes if s in kept)
        if not scopes:
            return self.deny(request)
        if request.merges_earlier:
            earlier = self._codes.consented(account, request.client)
            scopes = oauth_scopes.unique((*scopes, *earlier))
        return self._grant(request, account, scopes)

    def deny(self, request: oauth_request.AuthorizationRequest) -> str:
        """Return where the browser goes when the person cancelled."""
        return request.redirect(error="access_denied")

    def _grant(
        self,
        request: oauth_request.AuthorizationRequest,
        account: str,
        scopes: tuple[str, ...],
    ) -> str:
        wants_new = "consent" in request.prompts
        held = self._tokens.has_refresh_token(account, request.client)
        code = oauth_codes.Code(
            account=account,
            redirect_uri=request.redirect_uri,
            scopes=scopes,
            challenge=request.challenge,
            nonce=request.nonce,
            offline=request.offline and (wants_new or not held),
        )
        return request.redirect(
            code=self._codes.issue(code, request.client),
            scope=" ".join(scopes),
            authuser="0",
            prompt=" ".join(sorted(request.prompts)) or "none",
        )
