"""Google's OAuth at the addresses of the configuration."""

from deploy.cli.foundation import Foundation
from shared.adapters import google_oauth


def oauth(base: Foundation) -> google_oauth.GoogleOAuth:
    """Return what takes users to Google's consent page and keeps them let in."""
    endpoints = google_oauth.Endpoints(
        auth_url=base.config.google_auth_url,
        token_url=base.config.google_token_url,
        revoke_url=base.config.google_revoke_url,
    )
    return google_oauth.GoogleOAuth(endpoints, base.clock)
