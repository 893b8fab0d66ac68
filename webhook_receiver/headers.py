"""Security headers for every answer.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from urllib.parse import urlsplit

from flask import Flask, Response

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        # Bootstrap's style sheet draws its arrows and ticks itself.
        "img-src 'self' data:",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
_ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Addresses of sign-in and callback carry secrets.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def register(app: Flask, public_url: str) -> None:
    """Add the headers to whatever the application answers."""
    fixed = dict(_ALWAYS)
    if urlsplit(public_url).scheme == "https":
        fixed["Strict-Transport-Security"] = "max-age=31536000"

    def add(response: Response) -> Response:
        response.headers.extend(fixed)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(add)
