"""The signed-in cookie of the pages, and the origin its holder must come from."""

from __future__ import annotations

from flask import Response, request

from sidecar.errors import OriginRefused
from sidecar.model.signin import SignIn

#: Not sent along by pages of other sites (SameSite), not readable by scripts (HttpOnly), not sent in clear if we
#: speak TLS (Secure).
NAME = "claude_sidecar"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def presented() -> str | None:
    """Return the cookie's token. Two different ones are none: the second was planted by another site of the host."""
    tokens = set(request.cookies.getlist(NAME))
    return tokens.pop() if len(tokens) == 1 else None


def hand_out(response: Response, sign_in: SignIn, token: str) -> None:
    """Let the browser keep the token as long as the sign-in lasts."""
    age = sign_in.expires_at - sign_in.created_at
    response.set_cookie(
        NAME,
        token,
        max_age=int(age.total_seconds()),
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )


def take_back(response: Response) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(NAME, secure=request.is_secure, httponly=True, samesite="Strict")


def require_own_origin() -> None:
    """Refuse what a page of another origin sends with its visitor's cookie; SameSite alone lets other ports through.

    Raises:
        OriginRefused: the request comes from elsewhere, or changes something and does not say where it comes from.
    """
    given = request.headers.get("Origin")
    if given is None and request.method in _SAFE and not _fetched_from_elsewhere():
        return  # browsers leave it out then
    if given != own_origin():
        raise OriginRefused


def _fetched_from_elsewhere() -> bool:
    """Tell whether a page of another port has an image, say, of the API: reads wait, and one moves on what it reads."""
    site = request.headers.get("Sec-Fetch-Site")
    return request.path.startswith("/api/") and site in ("same-site", "cross-site")


def own_origin() -> str:
    """Return our origin as the browser sees it. The proxy that speaks TLS for us says so in `X-Forwarded-Proto`."""
    return f"{request.scheme}://{request.host.lower()}"
