"""No secret passes: by value in every spelling, by looks in every place."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar import config
from sidecar.logs.redaction import REDACTED, Redaction, secrets_of

PASSWORD = 'p@ss/w"ö r\\d'
SECRETS = {
    "API_AUTH_TOKEN": "marker-token-0123456789",
    "ENCRYPTION_KEY": f"{'a1' * 32},{'b2' * 32}",
    "DATABASE_URL": f"postgresql://sidecar:{quote(PASSWORD, safe='')}@db/sidecar",
    "ANTHROPIC_API_KEY": "host-key-without-a-known-shape",
    "METRICS_TOKEN": "marker-metrics-0123456789",
}


@pytest.fixture(scope="module")
def redaction() -> Redaction:
    return Redaction(secrets_of(config.load(SECRETS, Path("no.env"))))


@pytest.mark.parametrize(
    "secret",
    [
        SECRETS["API_AUTH_TOKEN"],
        "a1" * 32,
        "b2" * 32,
        PASSWORD,
        quote(PASSWORD, safe=""),
        SECRETS["ANTHROPIC_API_KEY"],
        SECRETS["METRICS_TOKEN"],
    ],
    ids=["token", "newer key", "older key", "password", "password in a URL", "host key", "metrics token"],
)
@pytest.mark.parametrize("frame", ["{}", "before{}after", "{!r}", "a\n{}\nb", "{0} and {0}"], ids=str)
def test_the_services_own_secrets_are_replaced_wherever_they_stand(
    redaction: Redaction, secret: str, frame: str
) -> None:
    text = frame.format(secret)

    assert secret not in redaction.text(text)
    assert repr(secret)[1:-1] not in redaction.text(text)
    assert json.dumps(secret)[1:-1] not in redaction.text(json.dumps(text))
    assert REDACTED in redaction.text(text)


def test_a_password_given_as_a_parameter_of_the_url_is_known() -> None:
    settings = config.load(
        {**SECRETS, "DATABASE_URL": "postgresql://db/sidecar?user=u&password=swordfish%21"}
    )

    assert (
        Redaction(secrets_of(settings)).text("login with swordfish! failed")
        == f"login with {REDACTED} failed"
    )


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("key sk-ant-api03-AbC_d-9 was refused", "AbC_d-9"),
        ("csk_0123456789abcdef_AbC-dE_f is unknown", "AbC-dE_f"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("got bearer abcdef", "abcdef"),
        ("eyJhbGciOiJF.. is short, eyJhbGciOiJFQ0RI..aXY.Y2lwaGVy.dGFn is whole", "Y2lwaGVy"),
        ("postgresql://jane:swordfish@db:5432/x failed", "swordfish"),
        ("postgresql+psycopg://jane:sw/ord@fish@db/x", "fish@"),
        ("password=swordfish host=db", "swordfish"),
        ("X-API-Key: swordfish", "swordfish"),
        ("{'X-API-Key': 'swordfish', 'Accept': 'all'}", "swordfish"),
        ('{"authorization": "Basic sword\\"fish"}', "fish"),
        ("[('Cookie', 'a=swordfish; b=c')]", "swordfish"),
        ("HTTP_COOKIE=a=b; swordfish=c", "swordfish"),
        ("{'HTTP_AUTHORIZATION': b'swordfish'}", "swordfish"),
        ("Set-Cookie: claude_sidecar=swordfish; Path=/", "swordfish"),
        ("it sent claude_sidecar=swordfish", "swordfish"),
        ("/api/terminal/1?ticket=swordfish&x=1", "swordfish"),
    ],
)
def test_what_looks_like_a_secret_is_replaced(redaction: Redaction, text: str, hidden: str) -> None:
    assert hidden in text
    assert hidden not in redaction.text(text)
    assert REDACTED in redaction.text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Listening at: http://127.0.0.1:3000 (4711)",
        "ready for sessions",
        "the database claude_sidecar answers",
        "a credential is needed",
        "12:30:45 jane@example.com",
    ],
)
def test_everything_else_stays(redaction: Redaction, text: str) -> None:
    assert redaction.text(text) == text


def test_values_of_every_kind_become_json_without_secrets(redaction: Redaction) -> None:
    class Mute:
        def __str__(self) -> str:
            raise ValueError(SECRETS["API_AUTH_TOKEN"])

    deep: dict[str, object] = {}
    deep["self"] = deep
    given = {
        SECRETS["API_AUTH_TOKEN"]: [b"Bearer abcdef", {"x": ("sk-ant-1", None, True, 3, 1.5, float("nan"))}],
        "mute": Mute(),
        "deep": deep,
        "error": ValueError("sk-ant-2"),
        "set": {"sk-ant-3"},
    }

    told = json.dumps(redaction.value(given), allow_nan=False)

    assert "sk-ant" not in told
    assert "abcdef" not in told
    assert SECRETS["API_AUTH_TOKEN"] not in told
    assert json.loads(told)["mute"] == "[Mute without a text]"


def test_a_very_long_value_is_cut_in_the_middle_and_a_secret_there_is_not_left_in_half(
    redaction: Redaction,
) -> None:
    secret = SECRETS["API_AUTH_TOKEN"]
    text = "a" * 8_180 + secret + "b" * 100_000 + secret

    told = redaction.text(text)

    assert len(told) < 17_000
    assert secret[:8] not in told


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_surroundings_hide_a_secret(before: str, after: str) -> None:
    redaction = Redaction(["marker-token-0123456789"])

    assert "marker-token" not in redaction.text(before + "marker-token-0123456789" + after)


@pytest.mark.parametrize(
    "hostile",
    [
        "eyJ" * 100_000,
        "://" * 100_000,
        "cookie" + " " * 300_000,
        "bearer " * 50_000,
        "sk-ant-" * 50_000,
        'cookie="' + "\\" * 100_000,
        "x-api-key" * 50_000,
    ],
    ids=lambda text: text[:9],
)
def test_hostile_texts_do_not_take_long(redaction: Redaction, hostile: str) -> None:
    """Quadratic patterns would run into the test's time limit."""
    assert redaction.text(hostile)


def test_it_does_not_show_what_it_knows() -> None:
    redaction = Redaction(["marker-token-0123456789"])

    assert "marker" not in repr(redaction)
    assert "marker" not in str({"redaction": redaction})
