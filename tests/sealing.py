"""What a browser does with the public key: seal an API key to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jwe
from joserfc.jwk import ECKey
from joserfc.registry import HeaderParameter

_REGISTRY = jwe.JWERegistry(
    header_registry={"userId": HeaderParameter("User", "str"), "iat": HeaderParameter("Issued at", "int")},
    algorithms=["ECDH-ES", "ECDH-ES+A256KW", "A256GCM", "A128GCM", "A256CBC-HS512", "DEF"],
)


def seal(jwk: Mapping[str, str], api_key: str, user_id: str, at: datetime, **changes: Any) -> str:
    """Return `api_key` as a compact JWE to the public key `jwk`; a header changed to None is left out."""
    header: dict[str, Any] = {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "kid": jwk["kid"],
        "userId": user_id,
        "iat": int(at.timestamp()),
        **changes,
    }
    protected = {name: value for name, value in header.items() if value is not None}
    public: dict[str, str | list[str]] = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
    return jwe.encrypt_compact(protected, api_key, ECKey.import_key(public), registry=_REGISTRY)
