"""The service's settings: one frozen value. `docs/configuration.md` is generated from the fields below."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sidecar.config.parsers import (
    Rate,
    address,
    count,
    duration,
    flag,
    listed,
    one_of,
    origins,
    port,
    rates,
    size,
    text,
)
from sidecar.config.setting import rows, setting

#: Variables beside the fields that `DATABASE_URL` is made of when it is missing.
DATABASE_PARTS = ("DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME", "DB_SSLMODE")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Durations are seconds, sizes bytes. Empty and missing are the same."""

    host: str = setting("SIDECAR_HOST", text, "127.0.0.1", "Address to listen on.")
    port: int = setting("SIDECAR_PORT", port, "3000", "Port to listen on; 0 lets the system choose.")
    env: str = setting(
        "SIDECAR_ENV",
        one_of("release", "debug"),
        "release",
        "`debug` generates missing secrets into the data directory and allows loopback only.",
    )
    threads: int = setting(
        "SIDECAR_THREADS",
        count,
        "128",
        "Request threads, at least 24. A waiting call holds one while it waits; 16 are kept for the others.",
    )
    data_dir: Path = setting(
        "SIDECAR_DATA_DIR",
        Path,
        None,
        "Database, homes and workspaces. `/var/lib/claude-sidecar` if writable, else the user's data folder.",
    )
    user: str = setting(
        "SIDECAR_USER", text, "claude-sidecar", "Account to drop to when started as root; it must exist."
    )
    api_auth_token: str = setting(
        "API_AUTH_TOKEN", text, None, "The service token. Required in release, at least 16 characters."
    )
    encryption_key: str = setting(
        "ENCRYPTION_KEY",
        text,
        None,
        "64 hex digits, several separated by commas, newest first. Required in release.",
    )
    database_url: str = setting(
        "DATABASE_URL",
        text,
        None,
        "PostgreSQL or SQLite URL; without it the `DB_*` variables, without those SQLite in the data directory.",
    )
    claude_path: Path | None = setting(
        "CLAUDE_PATH",
        Path,
        None,
        "The Claude Code CLI; by default the npm package beside the installation, else `claude` on the PATH.",
    )
    anthropic_base_url: str | None = setting(
        "ANTHROPIC_BASE_URL", text, None, "Handed to the CLI, for gateways and the stand-in."
    )
    anthropic_api_key: str | None = setting(
        "ANTHROPIC_API_KEY",
        text,
        None,
        "The host's own key; used for a terminal only with `SHARE_HOST_KEY`.",
    )
    share_host_key: bool = setting(
        "SHARE_HOST_KEY", flag, "false", "Let users without a key of their own use the host's."
    )
    isolation: str = setting(
        "ISOLATION",
        one_of("bubblewrap", "none"),
        "bubblewrap",
        "How a session is confined: `bubblewrap` or `none`.",
    )
    child_memory: int = setting("CHILD_MEMORY", size, "4GiB", "Memory one process of a session may allocate.")
    child_processes: int = setting(
        "CHILD_PROCESSES", count, "512", "Processes and threads a session may have."
    )
    child_file_size: int = setting("CHILD_FILE_SIZE", size, "1GiB", "Largest file a session may write.")
    child_scratch: int = setting(
        "CHILD_SCRATCH", size, "512MiB", "Size of a session's /tmp, which is memory (bubblewrap only)."
    )
    allowed_hosts: tuple[str, ...] = setting(
        "ALLOWED_HOSTS",
        listed,
        None,
        "Names the Host header may carry, without port; the loopback names by default.",
    )
    trusted_proxy: str | None = setting(
        "TRUSTED_PROXY", address, None, "IP address of the reverse proxy that speaks TLS for the sidecar."
    )
    tls_cert_file: Path | None = setting(
        "TLS_CERT_FILE", Path, None, "Certificate chain (PEM) to serve HTTPS."
    )
    tls_key_file: Path | None = setting("TLS_KEY_FILE", Path, None, "Key (PEM) of the certificate.")
    max_sessions: int = setting("MAX_SESSIONS", count, "50", "Sessions that have not ended, in total.")
    max_sessions_per_user: int = setting(
        "MAX_SESSIONS_PER_USER", count, "3", "Sessions of one user that have not ended."
    )
    session_start_timeout: float = setting(
        "SESSION_START_TIMEOUT",
        duration,
        "60s",
        "Time a session may take to its prompt before it has failed.",
    )
    session_idle_hibernate: float = setting(
        "SESSION_IDLE_HIBERNATE",
        duration,
        "15m",
        "Idle time after which a session's process is stopped; 0 = never.",
    )
    session_idle_timeout: float = setting(
        "SESSION_IDLE_TIMEOUT", duration, "24h", "Idle time after which a session ends; 0 = never."
    )
    session_retention: float = setting(
        "SESSION_RETENTION", duration, "7d", "How long an ended session and its output are kept."
    )
    shell_after_exit: bool = setting(
        "SHELL_AFTER_EXIT", flag, "false", "Leave a shell in the terminal when Claude exits."
    )
    output_buffer: int = setting("OUTPUT_BUFFER", size, "1MiB", "Latest output of a session kept in memory.")
    output_retention: int = setting(
        "OUTPUT_RETENTION", size, "64MiB", "Output stored per session, newest kept."
    )
    output_retention_total: int = setting(
        "OUTPUT_RETENTION_TOTAL", size, "4GiB", "Output stored in total, newest kept."
    )
    rate_limit: tuple[Rate, ...] = setting(
        "RATE_LIMIT",
        rates,
        "20/second;100/10 seconds",
        "Requests of one user, or of one address where nobody is authenticated; `off` for benchmarks.",
    )
    cors_origins: tuple[str, ...] = setting(
        "CORS_ORIGINS",
        origins,
        None,
        "Origins whose pages may call the API, with commas between; never `*`.",
    )
    metrics_token: str | None = setting(
        "METRICS_TOKEN", text, None, "Bearer token of `/metrics`, at least 16 characters; off without one."
    )
    audit_retention: float = setting(
        "AUDIT_RETENTION", duration, "90d", "How long entries of the audit trail are kept; 0 = for ever."
    )
    sealing_key_lifetime: float = setting(
        "SEALING_KEY_LIFETIME",
        duration,
        "30d",
        "Age at which the key pair that users' keys are sealed to is replaced; the old one opens for two days more.",
    )
    log_level: str = setting(
        "LOG_LEVEL",
        one_of("debug", "info", "warning", "error"),
        "info",
        "`debug`, `info`, `warning` or `error`.",
    )
    log_format: str = setting(
        "LOG_FORMAT", one_of("json", "text"), "json", "`json`, or `text` for people at a terminal."
    )
    log_file: Path | None = setting("LOG_FILE", Path, None, "Log to this file instead of standard error.")

    @property
    def debug(self) -> bool:
        """Tell whether this is a developer's machine."""
        return self.env == "debug"


def table() -> str:
    """Return the service's settings as a Markdown table."""
    parts = ", ".join(f"`{name}`" for name in DATABASE_PARTS)
    return "\n".join(
        [*rows(Settings), f"| {parts} | – | Parts of a PostgreSQL `DATABASE_URL`, used when it is missing. |"]
    )
