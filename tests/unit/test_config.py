"""Reading the settings: every parser, every refusal, and no value in any error."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import make_url

from sidecar import config
from sidecar.config import Rate, Settings
from sidecar.errors import ConfigurationError

TOKEN = "t" * 16
KEY = "5e" * 32

#: A value no error text may hold.
SECRET = "correct-horse-battery"


def load(tmp_path: Path, **given: str) -> Settings:
    """Read settings from `given` alone, with the secrets and a data directory."""
    plain = {"API_AUTH_TOKEN": TOKEN, "ENCRYPTION_KEY": KEY, "SIDECAR_DATA_DIR": str(tmp_path)}
    return config.load(plain | given, tmp_path / ".env")


def refusal(tmp_path: Path, **given: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, **given)
    return str(caught.value)


# -- parsers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("off", ()),
        ("OFF", ()),
        ("1/second", (Rate(1, 1),)),
        ("20/second;100/10 seconds", (Rate(20, 1), Rate(100, 10))),
        ("5 per minute; 10000/day", (Rate(5, 60), Rate(10_000, 86_400))),
        ("3 / 2 hours", (Rate(3, 7200),)),
    ],
)
def test_rates(tmp_path: Path, text: str, rates: tuple[Rate, ...]) -> None:
    assert load(tmp_path, RATE_LIMIT=text).rate_limit == rates


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "0",
        "20",
        "0/second",
        "1/0 seconds",
        "-1/second",
        "10001/second",
        "1.5/second",
        "20/second;",
        ";",
        "20/second,100/minute",
        "20/fortnight",
        "20/second/second",
        "\u0663/second",
    ],
)
def test_other_rates_are_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, RATE_LIMIT=text).startswith('RATE_LIMIT: use "off", or limits')


def test_threads_are_enough_for_the_calls_that_wait_and_those_that_do_not(tmp_path: Path) -> None:
    assert load(tmp_path, SIDECAR_THREADS="24").threads == 24
    assert refusal(tmp_path, SIDECAR_THREADS="23").startswith("SIDECAR_THREADS must be at least 24")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        ("90", 90),
        ("1.5", 1.5),
        ("2s", 2),
        ("15m", 900),
        ("0.5h", 1800),
        ("7d", 604_800),
        ("3 m", 180),
    ],
)
def test_durations(tmp_path: Path, text: str, seconds: float) -> None:
    assert load(tmp_path, SESSION_IDLE_HIBERNATE=text).session_idle_hibernate == seconds


@pytest.mark.parametrize(
    "text", ["-1", "1w", "m", "1e3", "1,5", "15 minutes", "inf", "nan", "1m30s", "1M", "\n1"]
)
def test_other_durations_are_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, SESSION_IDLE_HIBERNATE=text).startswith("SESSION_IDLE_HIBERNATE: use seconds")


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1", 1), ("4096", 4096), ("2KiB", 2048), ("1MiB", 1 << 20), ("3 GiB", 3 << 30)],
)
def test_sizes(tmp_path: Path, text: str, size: int) -> None:
    assert load(tmp_path, OUTPUT_RETENTION=text).output_retention == size


def test_a_ring_that_one_read_would_fill_is_refused(tmp_path: Path) -> None:
    assert load(tmp_path, OUTPUT_BUFFER="256KiB").output_buffer == 256 << 10
    assert refusal(tmp_path, OUTPUT_BUFFER="262143").startswith("OUTPUT_BUFFER must be at least 256KiB")


def test_a_pair_of_sealing_keys_lives_an_hour_at_least(tmp_path: Path) -> None:
    assert load(tmp_path).sealing_key_lifetime == 30 * 86400
    assert load(tmp_path, SEALING_KEY_LIFETIME="1h").sealing_key_lifetime == 3600
    assert refusal(tmp_path, SEALING_KEY_LIFETIME="59m").startswith(
        "SEALING_KEY_LIFETIME must be at least 1h"
    )


@pytest.mark.parametrize("text", ["-1", "1.5MiB", "1MB", "1M", "1 mib", "MiB", "0x10", "1_000"])
def test_other_sizes_are_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, OUTPUT_BUFFER=text).startswith("OUTPUT_BUFFER: use bytes")


def test_counts_begin_at_1(tmp_path: Path) -> None:
    assert load(tmp_path, MAX_SESSIONS="1").max_sessions == 1
    for text in ("0", "-1", "1.0", "ten", "+1", "1_0", "٣", "²", " 1"):
        assert refusal(tmp_path, MAX_SESSIONS=text) == "MAX_SESSIONS: use a whole number above 0."


def test_ports_end_at_65535(tmp_path: Path) -> None:
    assert load(tmp_path, SIDECAR_PORT="0").port == 0
    assert load(tmp_path, SIDECAR_PORT="65535").port == 65_535
    for text in ("65536", "-1", "http", "80 ", "٣"):
        assert refusal(tmp_path, SIDECAR_PORT=text) == "SIDECAR_PORT: use a port number up to 65535."


def test_flags(tmp_path: Path) -> None:
    for text in ("true", "TRUE", "1", "yes", "Yes"):
        assert load(tmp_path, SHARE_HOST_KEY=text).share_host_key is True
    for text in ("false", "False", "0", "no"):
        assert load(tmp_path, SHARE_HOST_KEY=text).share_host_key is False
    for text in ("on", "2", "y", "truth"):
        assert refusal(tmp_path, SHARE_HOST_KEY=text) == 'SHARE_HOST_KEY: use "true" or "false".'


@pytest.mark.parametrize(
    ("name", "good"), [("SIDECAR_ENV", "release"), ("ISOLATION", "none"), ("LOG_LEVEL", "warning")]
)
def test_choices(tmp_path: Path, name: str, good: str) -> None:
    load(tmp_path, **{name: good})
    for text in (good.upper(), "other", good + " "):
        assert refusal(tmp_path, **{name: text}).startswith(f"{name}: use one of ")


def test_lists_are_cut_at_commas_and_stripped(tmp_path: Path) -> None:
    assert load(tmp_path, ALLOWED_HOSTS=" a.example , b.example,,").allowed_hosts == (
        "a.example",
        "b.example",
    )
    assert load(tmp_path).allowed_hosts == ("localhost", "127.0.0.1", "[::1]")


# -- where values come from ------------------------------------------------------------------------------


def test_every_default_can_be_read(tmp_path: Path) -> None:
    settings = load(tmp_path)
    for item in fields(Settings):
        default = item.metadata["default"]
        if default is not None:
            assert getattr(settings, item.name) == item.metadata["parse"](default), item.name


def test_an_empty_value_is_the_same_as_none(tmp_path: Path) -> None:
    assert load(tmp_path, SIDECAR_PORT="", LOG_FILE="", CLAUDE_PATH="", SIDECAR_NONSENSE="") == load(tmp_path)


def test_what_looks_like_a_variable_in_the_file_is_not_expanded(tmp_path: Path) -> None:
    """A generated secret may hold it."""
    (tmp_path / ".env").write_text("ANTHROPIC_BASE_URL=http://a/${HOME}$x\n")
    assert load(tmp_path).anthropic_base_url == "http://a/${HOME}$x"


def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    """The account the service becomes may have no right to root's file."""
    (tmp_path / ".env").write_text("SIDECAR_PORT=1\n")
    (tmp_path / ".env").chmod(0)
    if os.access(tmp_path / ".env", os.R_OK):  # root reads everything
        assert load(tmp_path).port == 1
    else:
        assert refusal(tmp_path).startswith(".env cannot be read")


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SIDECAR_PORT=1111\nMAX_SESSIONS=7\nLOG_LEVEL=\n")
    settings = load(tmp_path, SIDECAR_PORT="2222")
    assert (settings.port, settings.max_sessions, settings.log_level) == (2222, 7, "info")


@pytest.mark.parametrize("name", ["SIDECAR_PROT", "SIDECAR_", "SIDECAR_port", "SIDECAR_API_AUTH_TOKEN"])
def test_an_unknown_name_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, **{name: SECRET}) == f"Unknown setting {name}: see docs/configuration.md."


def test_an_unknown_name_of_ours_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SIDECAR_PROT=3000\n")
    assert "SIDECAR_PROT" in refusal(tmp_path)


def test_names_of_others_are_none_of_our_business(tmp_path: Path) -> None:
    assert load(tmp_path, PATH="/bin", DB="x", MY_SIDECAR_PORT="x") == load(tmp_path)


# -- secrets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["API_AUTH_TOKEN", "ENCRYPTION_KEY"])
def test_release_needs_both_secrets(tmp_path: Path, missing: str) -> None:
    assert refusal(tmp_path, **{missing: ""}).startswith("API_AUTH_TOKEN and ENCRYPTION_KEY must be set")


@pytest.mark.parametrize("token", ["t" * 15, "ä" * 16])
def test_a_weak_token_is_refused(tmp_path: Path, token: str) -> None:
    assert token not in refusal(tmp_path, API_AUTH_TOKEN=token)


def test_debug_makes_secrets_once_and_keeps_them_to_the_owner(tmp_path: Path) -> None:
    environment = {"SIDECAR_ENV": "debug", "SIDECAR_DATA_DIR": str(tmp_path / "new" / "data")}
    first = config.load(environment, tmp_path / ".env")
    assert (len(first.api_auth_token), len(first.encryption_key)) == (43, 64)
    assert config.load(environment, tmp_path / ".env") == first
    kept = tmp_path / "new" / "data" / "debug.env"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    url = f"postgresql://ann:{SECRET}@db.example/x"
    names = ("ENCRYPTION_KEY", "API_AUTH_TOKEN", "METRICS_TOKEN", "ANTHROPIC_API_KEY")
    settings = load(tmp_path, DATABASE_URL=url, **dict.fromkeys(names, SECRET))
    assert SECRET in settings.encryption_key
    assert SECRET not in repr(settings)


def test_debug_keeps_to_the_secrets_that_are_given(tmp_path: Path) -> None:
    settings = load(tmp_path, SIDECAR_ENV="debug")
    assert (settings.api_auth_token, settings.encryption_key) == (TOKEN, KEY)


# -- exposure --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])
def test_loopback_needs_nothing(tmp_path: Path, host: str) -> None:
    assert load(tmp_path, SIDECAR_HOST=host).host == host


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.0.2.1", "example.org", "localhost.example", "127.0.0.1.example", "2130706433"],
)
def test_anything_else_needs_tls_or_a_proxy(tmp_path: Path, host: str) -> None:
    assert refusal(tmp_path, SIDECAR_HOST=host).startswith("SIDECAR_HOST is not loopback")
    assert load(tmp_path, SIDECAR_HOST=host, TRUSTED_PROXY="192.0.2.7").trusted_proxy == "192.0.2.7"
    (tmp_path / "pem").touch()
    pem = str(tmp_path / "pem")
    assert load(tmp_path, SIDECAR_HOST=host, TLS_CERT_FILE=pem, TLS_KEY_FILE=pem).tls_cert_file == Path(pem)
    refused = refusal(tmp_path, SIDECAR_HOST=host, SIDECAR_ENV="debug", TRUSTED_PROXY="192.0.2.7")
    assert refused.startswith("SIDECAR_ENV=debug listens on loopback only")


@pytest.mark.parametrize(
    "proxy", ["*", "192.0.2.0/24", "192.0.2.7,192.0.2.8", "proxy.example", "192.0.2.7:80"]
)
def test_the_trusted_proxy_is_one_address(tmp_path: Path, proxy: str) -> None:
    assert refusal(tmp_path, TRUSTED_PROXY=proxy).startswith("TRUSTED_PROXY: use one IP address")


@pytest.mark.parametrize("name", ["TLS_CERT_FILE", "TLS_KEY_FILE"])
def test_a_certificate_and_its_key_belong_together(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, **{name: "/x.pem"}) == "TLS_CERT_FILE and TLS_KEY_FILE belong together."


def test_files_that_cannot_be_used_are_told_before_the_server_starts(tmp_path: Path) -> None:
    (tmp_path / "pem").touch()
    good, missing = str(tmp_path / "pem"), str(tmp_path / "missing" / "file")
    assert "TLS_CERT_FILE" in refusal(tmp_path, TLS_CERT_FILE=missing, TLS_KEY_FILE=good)
    assert "TLS_KEY_FILE" in refusal(tmp_path, TLS_CERT_FILE=good, TLS_KEY_FILE=str(tmp_path))
    assert "LOG_FILE" in refusal(tmp_path, LOG_FILE=missing)
    assert load(tmp_path, LOG_FILE=str(tmp_path / "log")).log_file == tmp_path / "log"


# -- database --------------------------------------------------------------------------------------------

PARTS = {"DB_HOST": "db.example", "DB_USER": "ann", "DB_PASSWORD": "pw"}


def test_without_anything_the_database_is_in_the_data_directory(tmp_path: Path) -> None:
    assert load(tmp_path).database_url == f"sqlite:///{tmp_path}/sidecar.db"
    assert load(tmp_path, DB_USER="ann", DB_PASSWORD="pw").database_url == f"sqlite:///{tmp_path}/sidecar.db"


def test_an_address_goes_before_its_parts(tmp_path: Path) -> None:
    assert load(tmp_path, **PARTS, DATABASE_URL="sqlite:////tmp/x.db").database_url == "sqlite:////tmp/x.db"


@pytest.mark.parametrize(
    "odd", ["p@ss", "a:b", "a/b?c#d", "%41", "pass word", "ü€", "[x]", "'\"\\", "a+b&c=d", "$HOME"]
)
def test_parts_make_an_address_that_is_read_back_as_given(tmp_path: Path, odd: str) -> None:
    url = make_url(load(tmp_path, **PARTS | {"DB_PASSWORD": odd, "DB_USER": odd}).database_url)
    assert (url.drivername, url.host, url.port) == ("postgresql", "db.example", 5432)
    assert (url.username, url.password, url.database) == (odd, odd, "claude_sidecar")


def test_all_parts_are_used(tmp_path: Path) -> None:
    more = {"DB_PORT": "6000", "DB_NAME": "a b", "DB_SSLMODE": "require", "DB_HOST": "2001:db8::1"}
    url = make_url(load(tmp_path, **PARTS | more).database_url)
    assert (url.host, url.port, url.database) == ("2001:db8::1", 6000, "a b")
    assert dict(url.query) == {"sslmode": "require"}


def test_no_user_means_no_account_in_the_address(tmp_path: Path) -> None:
    assert load(tmp_path, DB_HOST="db.example").database_url == "postgresql://db.example:5432/claude_sidecar"


# -- errors and the table --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [item.metadata["name"] for item in fields(Settings)])
@pytest.mark.parametrize("value", [SECRET, f"{SECRET}\n"])
def test_no_error_repeats_a_value(tmp_path: Path, name: str, value: str) -> None:
    told = ""
    try:
        load(tmp_path, **{name: value})
    except ConfigurationError as error:
        told = f"{error} {error.__cause__ or ''}"
    assert SECRET not in told


def test_the_table_holds_every_setting_with_its_default() -> None:
    rows = config.table().splitlines()
    assert len(rows) == 2 + len(fields(Settings)) + 1
    for item, row in zip(fields(Settings), rows[2:], strict=False):
        name, default = item.metadata["name"], item.metadata["default"]
        assert row.startswith(f"| `{name}` | {f'`{default}`' if default else '–'} | ")
    assert all(f"`{name}`" in rows[-1] for name in config.DATABASE_PARTS)


def test_every_setting_has_one_sentence() -> None:
    for item in fields(Settings):
        about = item.metadata["about"]
        assert about[0].isupper() or about[0] in "`6", item.name
        assert about.endswith("."), item.name
        assert "|" not in about, item.name
