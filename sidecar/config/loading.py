"""Reading the service's settings, and refusing what would not work or not be safe."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import quote

from sidecar.config import environment
from sidecar.config.parsers import is_loopback
from sidecar.config.service import Settings
from sidecar.config.setting import values
from sidecar.errors import ConfigurationError

#: A smaller ring would be full after one read.
_LEAST_BUFFER = 256 << 10
_LEAST_LIFETIME_S = 3600
#: Request threads kept free for calls that do not wait, and how many calls that wait one user may have.
FREE_THREADS, WAITING_PER_USER = 16, 8
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def load(environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
    """Read the settings from the environment, `.env` filling what it lacks.

    Raises:
        ConfigurationError: a value is wrong, a name unknown, or a required one missing. Values are not echoed.
    """
    given = environment.given(environ, env_file)
    _refuse_unknown(given)
    given = {**_derived(given), **given}
    if given.get("SIDECAR_ENV") == "debug":
        given = {**_debug_secrets(Path(given["SIDECAR_DATA_DIR"])), **given}
    settings = Settings(**values(Settings, given))
    _check(settings)
    return settings


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = {item.metadata["name"] for item in fields(Settings)}
    unknown = sorted(name for name in given if name.startswith("SIDECAR_") and name not in known)
    if unknown:
        raise ConfigurationError(f"Unknown setting {', '.join(unknown)}: see docs/configuration.md.")


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
    return environment.read(path)


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


@dataclass(frozen=True)
class Identity:
    """What must be known before anything else: the account to become, where its data is, and what it runs."""

    user: str
    data_dir: Path
    claude_path: Path | None


def identity() -> Identity:
    """Read only the settings needed to drop root; the others may name files the account has yet to create."""
    given = environment.given()
    data_dir = given.get("SIDECAR_DATA_DIR") or str(_default_data_dir(given))
    claude = given.get("CLAUDE_PATH")
    return Identity(
        given.get("SIDECAR_USER", "claude-sidecar"), Path(data_dir), Path(claude) if claude else None
    )
