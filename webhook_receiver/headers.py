"""Security headers for every answer.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from urllib.parse import urlsplit

from flask import Flask, Response
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

_YEAR_SECONDS = 31_536_000


def register(app: Flask, public_url: str) -> None:
    """Add the headers to whatever the application answers."""
    is_secure = urlsplit(public_url).scheme == "https"
    fixed = dict(_headers(is_secure=is_secure).header_items())

    def add(response: Response) -> Response:
        response.headers.extend(fixed)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(add)


def _headers(*, is_secure: bool) -> Secure:
    return Secure(
        csp=_policy(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        hsts=StrictTransportSecurity().max_age(_YEAR_SECONDS) if is_secure else None,
        # Addresses of sign-in and callback carry secrets.
        referrer=ReferrerPolicy().no_referrer(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )


def _policy() -> ContentSecurityPolicy:
    none, own = "'none'", "'self'"
    return (
        ContentSecurityPolicy()
        .default_src(none)
        .script_src(own)
        .connect_src(own)
        .style_src(own)
        # Bootstrap's style sheet draws its arrows and ticks itself.
        .img_src(own, "data:")
        .form_action(own)
        .frame_ancestors(none)
        .base_uri(none)
    )
