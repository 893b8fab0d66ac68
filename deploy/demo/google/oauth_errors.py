"""What the OAuth server refuses, worded as Google does."""

from http import HTTPStatus


class OAuthError(Exception):
    """A refusal: shown on the consent page, or answered as JSON by the endpoints."""

    def __init__(
        self,
        error: str,
        description: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
    ) -> None:
        """`error` is the OAuth code, `description` Google's sentence about it."""
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


def invalid_request(description: str) -> OAuthError:
    """Return the refusal of a request that lacks something or has a bad value."""
    return OAuthError("invalid_request", description)


def invalid_grant(description: str) -> OAuthError:
    """Return the refusal of a code or refresh token that cannot be used."""
    return OAuthError("invalid_grant", description)


def unknown_client() -> OAuthError:
    """Return the refusal of a client id that nobody registered."""
    return OAuthError(
        "invalid_client", "The OAuth client was not found.", HTTPStatus.UNAUTHORIZED
    )
