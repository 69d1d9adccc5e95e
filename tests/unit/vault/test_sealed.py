"""A sealed key opens for its own user, for a day, and for nobody else; every failure is the same."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey, RSAKey

from sidecar.vault.sealed import REFUSAL, Unsealed, refusal, unseal
from tests.sealing import seal

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
API_KEY = "sk-ant-a-key-0123456789"
OURS = ECKey.generate_key("P-256")
FOREIGN = ECKey.generate_key("P-256")
KID = OURS.thumbprint()
KEYS = {KID: ECKey.import_key(OURS.as_dict(private=True), {"kid": KID, "use": "enc", "alg": "ECDH-ES"})}


def public(key: ECKey = OURS, kid: str = KID) -> dict[str, str]:
    return {name: str(key.as_dict(private=False)[name]) for name in ("kty", "crv", "x", "y")} | {"kid": kid}


def sealed(api_key: str = API_KEY, user: str = "ann", at: datetime = NOW, **changes: Any) -> str:
    return seal(public(), api_key, user, at, **changes)


def opened(token: str, user: str = "ann", now: datetime = NOW) -> Unsealed | None:
    return unseal(token, user, KEYS.get, now)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(change: Callable[[dict[str, Any]], object]) -> str:
    """Return a token whose header was changed on its way."""
    first, *rest = sealed().split(".")
    header = json.loads(base64.urlsafe_b64decode(first + "=="))
    change(header)
    return ".".join([encoded(json.dumps(header).encode()), *rest])


TOKEN = sealed()


@pytest.mark.parametrize("key", ["12345678", "~" * 512, API_KEY])
def test_a_key_sealed_to_us_is_opened(key: str) -> None:
    found = opened(sealed(key))

    assert found is not None
    assert found.key == key


def test_the_seal_is_known_again_and_expires_with_the_token() -> None:
    first, again, other = opened(TOKEN), opened(TOKEN, now=NOW + timedelta(hours=5)), opened(sealed())

    assert first is not None
    assert again is not None
    assert other is not None
    assert first.seal == again.seal
    assert first.seal.expires_at == NOW + timedelta(hours=24)
    assert other.seal.digest != first.seal.digest


@pytest.mark.parametrize(
    ("age", "opens"),
    [
        (timedelta(hours=24) - timedelta(seconds=1), True),
        (timedelta(hours=24), False),
        (timedelta(days=9), False),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-5, seconds=-1), False),
        (timedelta(days=-9000), False),
    ],
    ids=str,
)
def test_a_day_is_the_age_it_may_have_and_five_minutes_the_error_of_a_clock(
    age: timedelta, opens: bool
) -> None:
    assert (opened(sealed(at=NOW - age)) is not None) is opens


@pytest.mark.parametrize("user", ["bob", "", "Ann", "ann "])
def test_another_user_cannot_open_it(user: str) -> None:
    assert opened(TOKEN, user) is None


def test_a_key_pair_that_is_not_ours_is_not_used() -> None:
    assert opened(seal(public(FOREIGN, FOREIGN.thumbprint()), API_KEY, "ann", NOW)) is None
    assert opened(seal(public(FOREIGN, KID), API_KEY, "ann", NOW)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "ECDH-ES+A256KW"},
        {"enc": "A128GCM"},
        {"enc": "A256CBC-HS512"},
        {"zip": "DEF"},
        {"crit": ["iat"]},
        {"typ": "JWE"},
        {"kid": None},
        {"userId": None},
        {"iat": None},
        {"apu": "QWxpY2U"},
    ],
    ids=str,
)
def test_a_header_that_is_not_the_agreed_one_is_refused(changes: dict[str, Any]) -> None:
    assert opened(sealed(**changes)) is None


def test_a_bomb_is_not_unpacked() -> None:
    assert opened(sealed("a" * 10_000_000, zip="DEF")) is None


def test_other_kinds_of_keys_are_refused() -> None:
    names = {"kid": KID, "enc": "A256GCM", "userId": "ann", "iat": int(NOW.timestamp())}
    registry = jwe.JWERegistry(algorithms=["dir", "RSA-OAEP", "A256GCM"], strict_check_header=False)
    direct = jwe.encrypt_compact(
        {"alg": "dir", **names}, API_KEY, OctKey.generate_key(256), registry=registry
    )
    rsa = jwe.encrypt_compact(
        {"alg": "RSA-OAEP", **names}, API_KEY, RSAKey.generate_key(2048), registry=registry
    )

    assert opened(direct) is None
    assert opened(rsa) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(userId="bob"),
        lambda header: header.update(iat=header["iat"] + 1),
        lambda header: header.update(iat=True),
        lambda header: header.update(iat=float(header["iat"])),
        lambda header: header.update(iat=10**400),
        lambda header: header.update(iat=-(10**400)),
        lambda header: header.update(iat=float("nan")),
        lambda header: header.update(kid=[KID]),
        lambda header: header.update(alg="none"),
        lambda header: header.update(epk="x"),
        lambda header: header["epk"].update(y=header["epk"]["x"]),
        lambda header: header["epk"].update(x="", y=""),
        lambda header: header["epk"].update(x="A" * 43, y="A" * 43),
        lambda header: header["epk"].update(x="A" * 300),
        lambda header: header["epk"].update(x=7),
        lambda header: header["epk"].update(crv="P-384"),
        lambda header: header["epk"].update(crv="P-000"),
        lambda header: header["epk"].update(kty="OKP"),
        lambda header: header["epk"].update(d="AAAA"),
        lambda header: header.pop("epk"),
        lambda header: header.clear(),
    ],
)
def test_a_header_changed_on_the_way_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    assert opened(with_header(change)) is None


@pytest.mark.parametrize("eighth", range(8))
def test_a_token_cut_short_is_refused(eighth: int) -> None:
    assert opened(TOKEN[: len(TOKEN) * eighth // 8]) is None


@pytest.mark.parametrize("place", range(0, len(TOKEN), 7))
def test_a_changed_character_is_refused(place: int) -> None:
    other = "A" if TOKEN[place] != "A" else "B"

    assert opened(TOKEN[:place] + other + TOKEN[place + 1 :]) is None


@pytest.mark.parametrize("segment", range(5))
def test_the_same_bytes_written_otherwise_are_not_another_token(segment: int) -> None:
    segments = TOKEN.split(".")
    for tail in ("=", "==", "\n", "!", "AAAA"):
        changed = [*segments]
        changed[segment] += tail

        assert opened(".".join(changed)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "....",
        "é.é.é.é.é",
        "a" * 5_000_000,
        TOKEN + "." + TOKEN,
        TOKEN + " ",
        '{"protected": "x"}',
        encoded(b"[" * 600) + "....",
        encoded(b'{"alg":' * 80) + "....",
        encoded(b"\xff\xfe") + "....",
        encoded(b"null") + "....",
        "\ud800....",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_garbage_is_refused(text: str) -> None:
    assert opened(text) is None


@given(st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    assert opened(text) is None


@given(st.lists(st.binary(max_size=60), min_size=5, max_size=5))
def test_any_five_segments_are_refused(segments: list[bytes]) -> None:
    assert opened(".".join(encoded(segment) for segment in segments)) is None


@pytest.mark.parametrize(
    "key", ["", "1234567", "a" * 513, "with space", "tab\tin-it", "clé-secrète", "key-12345\n"]
)
def test_what_is_no_api_key_is_refused_though_sealed_well(key: str) -> None:
    assert opened(sealed(key)) is None


def test_what_the_store_of_keys_raises_is_passed_on() -> None:
    def away(_: str) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        unseal(TOKEN, "ann", away, NOW)


def test_nothing_shows_the_key() -> None:
    assert API_KEY not in repr(opened(TOKEN))
    assert str(refusal("sealed")) == f"sealed: {REFUSAL}"
