"""Every setting, read once from the environment (and `.env`) into one frozen value.

The only reader of the environment. `docs/configuration.md` is generated from the fields below.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from dotenv import dotenv_values

from sidecar.errors import ConfigurationError

T = TypeVar("T")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = re.compile(r"(\d+)\s*(KiB|MiB|GiB)?")
_FACTORS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
#: A smaller ring would be full after one read.
_LEAST_BUFFER = 256 << 10
_LEAST_LIFETIME_S = 3600
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?")
#: Read in the working folder, where the environment leaves something out.
ENV_FILE = Path(".env")
_RATE = re.compile(r"([0-9]{1,5})\s*(?:/|\sper\s)\s*([0-9]{1,5})?\s*(second|minute|hour|day)s?")
_RATE_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
#: Each call of a caller costs memory while it counts.
_MOST_CALLS = 10_000
#: Request threads kept free for calls that do not wait, and how many calls that wait one user may have.
FREE_THREADS, WAITING_PER_USER = 16, 8
#: Not shown by `repr`.
_SECRETS = {"API_AUTH_TOKEN", "ENCRYPTION_KEY", "DATABASE_URL", "ANTHROPIC_API_KEY", "METRICS_TOKEN"}
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def _text(value: str) -> str:
    return value


def duration(value: str) -> float:
    """Seconds, or a number with s, m, h or d."""
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError('use seconds, or a number with s, m, h or d, such as "15m"')
    return float(match[1]) * _SECONDS[match[2] or "s"]


def _size(value: str) -> int:
    """Bytes, or a number with KiB, MiB or GiB."""
    match = _BYTES.fullmatch(value)
    if match is None:
        raise ValueError('use bytes, or a number with KiB, MiB or GiB, such as "1MiB"')
    return int(match[1]) * _FACTORS.get(match[2] or "", 1)


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise ValueError("use a whole number above 0")
    return int(value)


def _port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > 65535:
        raise ValueError("use a port number up to 65535")
    return int(value)


def _flag(value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise ValueError('use "true" or "false"')
    return value.lower() in ("true", "1", "yes")


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError("use one IP address, such as 192.0.2.7") from None


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _origins(value: str) -> tuple[str, ...]:
    """Origins as browsers send them: scheme, host, and a port that is not the scheme's own."""
    origins = _list(value)
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError('use origins such as "https://portal.example"; patterns and "*" are not allowed')
    return origins


class Rate(NamedTuple):
    """So many calls in so many seconds."""

    amount: int
    seconds: int


def _rates(value: str) -> tuple[Rate, ...]:
    """Read limits such as "20/second;100/10 seconds"; "off" has none."""
    if value.lower() == "off":
        return ()
    found = [_RATE.fullmatch(part.strip()) for part in value.split(";")]
    rates = [Rate(int(one[1]), int(one[2] or 1) * _RATE_SECONDS[one[3]]) for one in found if one]
    if len(rates) < len(found) or not all(0 < rate.amount <= _MOST_CALLS and rate.seconds for rate in rates):
        raise ValueError(
            f'use "off", or limits of up to {_MOST_CALLS} calls such as "20/second;100/10 seconds"'
        )
    return tuple(rates)


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"use one of {', '.join(allowed)}")
        return value

    return parse


def _setting(name: str, parse: Callable[[str], T], default: str | None, about: str) -> Any:
    """Declare one setting: environment variable, parser, default as it would be written, one sentence."""
    metadata = {"name": name, "parse": parse, "default": default, "about": about}
    return field(metadata=metadata, repr=name not in _SECRETS)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Durations are seconds, sizes bytes. Empty and missing are the same."""

    host: str = _setting("SIDECAR_HOST", _text, "127.0.0.1", "Address to listen on.")
    port: int = _setting("SIDECAR_PORT", _port, "3000", "Port to listen on; 0 lets the system choose.")
    env: str = _setting(
        "SIDECAR_ENV",
        _one_of("release", "debug"),
        "release",
        "`debug` generates missing secrets into the data directory and allows loopback only.",
    )
    threads: int = _setting(
        "SIDECAR_THREADS",
        _count,
        "128",
        "Request threads, at least 24. A waiting call holds one while it waits; 16 are kept for the others.",
    )
    data_dir: Path = _setting(
        "SIDECAR_DATA_DIR",
        Path,
        None,
        "Database, homes and workspaces. `/var/lib/claude-sidecar` if writable, else the user's data folder.",
    )
    user: str = _setting(
        "SIDECAR_USER", _text, "claude-sidecar", "Account to drop to when started as root; it must exist."
    )
    api_auth_token: str = _setting(
        "API_AUTH_TOKEN", _text, None, "The service token. Required in release, at least 16 characters."
    )
    encryption_key: str = _setting(
        "ENCRYPTION_KEY",
        _text,
        None,
        "64 hex digits, several separated by commas, newest first. Required in release.",
    )
    database_url: str = _setting(
        "DATABASE_URL",
        _text,
        None,
        "PostgreSQL or SQLite URL; without it the `DB_*` variables, without those SQLite in the data directory.",
    )
    claude_path: Path | None = _setting(
        "CLAUDE_PATH",
        Path,
        None,
        "The Claude Code CLI; by default the npm package beside the installation, else `claude` on the PATH.",
    )
    anthropic_base_url: str | None = _setting(
        "ANTHROPIC_BASE_URL", _text, None, "Handed to the CLI, for gateways and the stand-in."
    )
    anthropic_api_key: str | None = _setting(
        "ANTHROPIC_API_KEY",
        _text,
        None,
        "The host's own key; used for a terminal only with `SHARE_HOST_KEY`.",
    )
    share_host_key: bool = _setting(
        "SHARE_HOST_KEY", _flag, "false", "Let users without a key of their own use the host's."
    )
    isolation: str = _setting(
        "ISOLATION",
        _one_of("bubblewrap", "none"),
        "bubblewrap",
        "How a session is confined: `bubblewrap` or `none`.",
    )
    child_memory: int = _setting(
        "CHILD_MEMORY", _size, "4GiB", "Memory one process of a session may allocate."
    )
    child_processes: int = _setting(
        "CHILD_PROCESSES", _count, "512", "Processes and threads a session may have."
    )
    child_file_size: int = _setting("CHILD_FILE_SIZE", _size, "1GiB", "Largest file a session may write.")
    child_scratch: int = _setting(
        "CHILD_SCRATCH", _size, "512MiB", "Size of a session's /tmp, which is memory (bubblewrap only)."
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "ALLOWED_HOSTS",
        _list,
        None,
        "Names the Host header may carry, without port; the loopback names by default.",
    )
    trusted_proxy: str | None = _setting(
        "TRUSTED_PROXY", _address, None, "IP address of the reverse proxy that speaks TLS for the sidecar."
    )
    tls_cert_file: Path | None = _setting(
        "TLS_CERT_FILE", Path, None, "Certificate chain (PEM) to serve HTTPS."
    )
    tls_key_file: Path | None = _setting("TLS_KEY_FILE", Path, None, "Key (PEM) of the certificate.")
    max_sessions: int = _setting("MAX_SESSIONS", _count, "50", "Sessions that have not ended, in total.")
    max_sessions_per_user: int = _setting(
        "MAX_SESSIONS_PER_USER", _count, "3", "Sessions of one user that have not ended."
    )
    session_start_timeout: float = _setting(
        "SESSION_START_TIMEOUT",
        duration,
        "60s",
        "Time a session may take to its prompt before it has failed.",
    )
    session_idle_hibernate: float = _setting(
        "SESSION_IDLE_HIBERNATE",
        duration,
        "15m",
        "Idle time after which a session's process is stopped; 0 = never.",
    )
    session_idle_timeout: float = _setting(
        "SESSION_IDLE_TIMEOUT", duration, "24h", "Idle time after which a session ends; 0 = never."
    )
    session_retention: float = _setting(
        "SESSION_RETENTION", duration, "7d", "How long an ended session and its output are kept."
    )
    shell_after_exit: bool = _setting(
        "SHELL_AFTER_EXIT", _flag, "false", "Leave a shell in the terminal when Claude exits."
    )
    output_buffer: int = _setting(
        "OUTPUT_BUFFER", _size, "1MiB", "Latest output of a session kept in memory."
    )
    output_retention: int = _setting(
        "OUTPUT_RETENTION", _size, "64MiB", "Output stored per session, newest kept."
    )
    output_retention_total: int = _setting(
        "OUTPUT_RETENTION_TOTAL", _size, "4GiB", "Output stored in total, newest kept."
    )
    rate_limit: tuple[Rate, ...] = _setting(
        "RATE_LIMIT",
        _rates,
        "20/second;100/10 seconds",
        "Requests of one user, or of one address where nobody is authenticated; `off` for benchmarks.",
    )
    cors_origins: tuple[str, ...] = _setting(
        "CORS_ORIGINS",
        _origins,
        None,
        "Origins whose pages may call the API, with commas between; never `*`.",
    )
    metrics_token: str | None = _setting(
        "METRICS_TOKEN", _text, None, "Bearer token of `/metrics`, at least 16 characters; off without one."
    )
    audit_retention: float = _setting(
        "AUDIT_RETENTION", duration, "90d", "How long entries of the audit trail are kept; 0 = for ever."
    )
    sealing_key_lifetime: float = _setting(
        "SEALING_KEY_LIFETIME",
        duration,
        "30d",
        "Age at which the key pair that users' keys are sealed to is replaced; the old one opens for two days more.",
    )
    log_level: str = _setting(
        "LOG_LEVEL",
        _one_of("debug", "info", "warning", "error"),
        "info",
        "`debug`, `info`, `warning` or `error`.",
    )
    log_format: str = _setting(
        "LOG_FORMAT", _one_of("json", "text"), "json", "`json`, or `text` for people at a terminal."
    )
    log_file: Path | None = _setting("LOG_FILE", Path, None, "Log to this file instead of standard error.")

    @property
    def debug(self) -> bool:
        """Tell whether this is a developer's machine."""
        return self.env == "debug"


#: Variables beside the fields that `DATABASE_URL` is made of when it is missing.
DATABASE_PARTS = ("DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME", "DB_SSLMODE")


def load(environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
    """Read the settings from the environment, `.env` filling what it lacks.

    Raises:
        ConfigurationError: a value is wrong, a name unknown, or a required one missing. Values are not echoed.
    """
    given = _given(environ, env_file)
    _refuse_unknown(given)
    given = {**_derived(given), **given}
    if given.get("SIDECAR_ENV") == "debug":
        given = {**_debug_secrets(Path(given["SIDECAR_DATA_DIR"])), **given}
    settings = Settings(**{item.name: _value(item.metadata, given) for item in fields(Settings)})
    _check(settings)
    return settings


def _given(environ: Mapping[str, str] | None, env_file: Path | None) -> dict[str, str]:
    """Return what is set and not empty; the environment goes before the file."""
    given = dict(os.environ if environ is None else environ)
    path = env_file or ENV_FILE
    if path.is_file():
        given = {**_file(path), **given}
    return {name: value for name, value in given.items() if value}


def _file(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8") as file:
            _check_owner(path, os.fstat(file.fileno()))
            # Not interpolated: a generated secret may hold what looks like a variable.
            return {
                name: value or "" for name, value in dotenv_values(stream=file, interpolate=False).items()
            }
    except OSError:
        raise ConfigurationError(f"{path.name} cannot be read by this account: give it the file.") from None


def _check_owner(path: Path, status: os.stat_result) -> None:
    """Refuse what somebody else wrote: it names programs to run, and a folder that root gives away."""
    ours, root = os.geteuid(), os.geteuid() == 0
    if status.st_uid not in (0, ours) or (root and status.st_mode & 0o022):
        raise ConfigurationError(
            f"{path.name} in this folder can be changed by another account: read it, then chown and chmod go-w it."
        )


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = {item.metadata["name"] for item in fields(Settings)}
    unknown = sorted(name for name in given if name.startswith("SIDECAR_") and name not in known)
    if unknown:
        raise ConfigurationError(f"Unknown setting {', '.join(unknown)}: see docs/configuration.md.")


def _value(metadata: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    text = given.get(metadata["name"], metadata["default"])
    if text is None:
        return None
    try:
        return metadata["parse"](text)
    except ValueError as error:
        raise ConfigurationError(f"{metadata['name']}: {error}.") from None


def _derived(given: Mapping[str, str]) -> dict[str, str]:
    """Return what follows from other settings or from the machine."""
    data_dir = given.get("SIDECAR_DATA_DIR") or str(_default_data_dir(given))
    return {
        "SIDECAR_DATA_DIR": data_dir,
        "DATABASE_URL": _database_url(given, data_dir),
        "ALLOWED_HOSTS": ",".join(_LOOPBACK_NAMES),
    }


def _default_data_dir(given: Mapping[str, str]) -> Path:
    system = Path("/var/lib/claude-sidecar")
    if os.access(system if system.exists() else system.parent, os.W_OK):
        return system
    base = given.get("XDG_DATA_HOME") or str(Path(given.get("HOME", "~")).expanduser() / ".local/share")
    return Path(base) / "claude-sidecar"


def _database_url(given: Mapping[str, str], data_dir: str) -> str:
    if not given.get("DB_HOST"):
        return f"sqlite:///{data_dir}/sidecar.db"
    user, password = (quote(given.get(name, ""), safe="") for name in ("DB_USER", "DB_PASSWORD"))
    account = f"{user}:{password}@" if user else ""
    host = f"[{given['DB_HOST']}]" if ":" in given["DB_HOST"] else given["DB_HOST"]
    name = quote(given.get("DB_NAME", "claude_sidecar"), safe="")
    mode = f"?sslmode={quote(given['DB_SSLMODE'])}" if given.get("DB_SSLMODE") else ""
    return f"postgresql://{account}{host}:{given.get('DB_PORT', '5432')}/{name}{mode}"


def _debug_secrets(data_dir: Path) -> dict[str, str]:
    """Return generated secrets, kept in the data directory so that a restart can still read what is stored."""
    path = data_dir / "debug.env"
    if not path.is_file():
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = (f"API_AUTH_TOKEN={secrets.token_urlsafe(32)}", f"ENCRYPTION_KEY={secrets.token_hex(32)}")
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join(lines) + "\n")
    return _file(path)


def _check(settings: Settings) -> None:
    if not settings.api_auth_token or not settings.encryption_key:
        raise ConfigurationError(
            "API_AUTH_TOKEN and ENCRYPTION_KEY must be set (each: openssl rand -hex 32), or SIDECAR_ENV=debug."
        )
    if len(settings.api_auth_token) < 16 or not settings.api_auth_token.isascii():
        raise ConfigurationError("API_AUTH_TOKEN must have at least 16 ASCII characters.")
    if settings.threads < FREE_THREADS + WAITING_PER_USER:
        raise ConfigurationError(
            f"SIDECAR_THREADS must be at least {FREE_THREADS + WAITING_PER_USER}: {FREE_THREADS} are kept free for "
            "calls that do not wait."
        )
    if settings.metrics_token and len(settings.metrics_token) < 16:
        raise ConfigurationError("METRICS_TOKEN must have at least 16 characters.")
    _check_bounds(settings)
    if (settings.tls_cert_file is None) != (settings.tls_key_file is None):
        raise ConfigurationError("TLS_CERT_FILE and TLS_KEY_FILE belong together.")
    _check_files(settings)
    _check_exposure(settings)


def _check_bounds(settings: Settings) -> None:
    if settings.output_buffer < _LEAST_BUFFER:
        raise ConfigurationError(
            "OUTPUT_BUFFER must be at least 256KiB: programs would stand still at each read."
        )
    if settings.sealing_key_lifetime < _LEAST_LIFETIME_S:
        raise ConfigurationError(
            "SEALING_KEY_LIFETIME must be at least 1h: each pair is kept for two days more."
        )


def _check_files(settings: Settings) -> None:
    for name, path in (("TLS_CERT_FILE", settings.tls_cert_file), ("TLS_KEY_FILE", settings.tls_key_file)):
        if path is not None and not (path.is_file() and os.access(path, os.R_OK)):
            raise ConfigurationError(f"{name} is no file that can be read.")
    log = settings.log_file
    if log is not None and not os.access(log if log.exists() else log.absolute().parent, os.W_OK):
        raise ConfigurationError("LOG_FILE cannot be written.")


def _check_exposure(settings: Settings) -> None:
    if is_loopback(settings.host):
        return
    if settings.debug:
        raise ConfigurationError("SIDECAR_ENV=debug listens on loopback only: set SIDECAR_HOST=127.0.0.1.")
    if settings.tls_cert_file is None and settings.trusted_proxy is None:
        raise ConfigurationError(
            "SIDECAR_HOST is not loopback: set TLS_CERT_FILE and TLS_KEY_FILE, or TRUSTED_PROXY."
        )


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Identity:
    """What must be known before anything else: the account to become, where its data is, and what it runs."""

    user: str
    data_dir: Path
    claude_path: Path | None


def identity() -> Identity:
    """Read only the settings needed to drop root; the others may name files the account has yet to create."""
    given = _given(None, None)
    data_dir = given.get("SIDECAR_DATA_DIR") or str(_default_data_dir(given))
    claude = given.get("CLAUDE_PATH")
    return Identity(
        given.get("SIDECAR_USER", "claude-sidecar"), Path(data_dir), Path(claude) if claude else None
    )


def table() -> str:
    """Return all settings as a Markdown table."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for item in fields(Settings):
        default = item.metadata["default"]
        rows.append(
            f"| `{item.metadata['name']}` | {f'`{default}`' if default else '–'} | {item.metadata['about']} |"
        )
    parts = ", ".join(f"`{name}`" for name in DATABASE_PARTS)
    rows.append(f"| {parts} | – | Parts of a PostgreSQL `DATABASE_URL`, used when it is missing. |")
    return "\n".join(rows)
