"""The ECC poller's settings: its own frozen value, because its process needs nothing else of the service's."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from sidecar.config import environment
from sidecar.config.parsers import count, duration, is_loopback, text
from sidecar.config.service import Settings
from sidecar.config.setting import rows, setting, shared, values
from sidecar.errors import ConfigurationError

#: As MID Servers are named; one may have the same name.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,61}[A-Za-z0-9])?")
#: What a customer's instance is called, without the domain all of them share.
_INSTANCE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_ADDRESS = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?((?:/[A-Za-z0-9._~-]+)*)/?")
#: A poller that does not ask for 30 s counts as down, and shorter pauses would only be a load.
_SHORTEST_S, _LONGEST_S = 0.1, 15.0
#: Twice as many rows are held, and the instance lets nobody hold more than 200.
_MOST_WORKERS = 100


def _instance(value: str) -> str:
    """Return an instance's address; it may be given as a name, a host or a URL."""
    if _INSTANCE_NAME.fullmatch(value) and value != "localhost":
        return f"https://{value}.service-now.com"
    return _web(f"https://{value}" if _HOST.fullmatch(value) else value, "https://name.example")


def _sidecar(value: str) -> str:
    """Return the sidecar's address, without a slash at its end."""
    return _web(value, "http://127.0.0.1:3000")


def _web(value: str, such: str) -> str:
    match = _ADDRESS.fullmatch(value)
    if match is None:
        raise ValueError(f'use an address such as "{such}", without account and parameters')
    try:
        port = urlsplit(value).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f'use an address such as "{such}", with a port up to 65535 if it needs one')
    if match[1] == "http" and not is_loopback(match[2]):
        raise ValueError("it leads to another host, so it must begin with https://")
    return f"{match[1]}://{match[2]}{match[3] or ''}{match[4]}"


def _interval(value: str) -> float | None:
    """Return seconds; None is adaptive."""
    if value == "adaptive":
        return None
    try:
        seconds = duration(value)
    except ValueError:
        seconds = 0.0
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise ValueError('use "adaptive", or a time from 0.1s to 15s such as "5s"')
    return seconds


def _poller_name(value: str) -> str:
    """Return the name the instance knows the poller by."""
    if not _NAME.fullmatch(value):
        raise ValueError("use up to 63 letters, digits, dots, hyphens, underscores and spaces")
    return value


def _workers(value: str) -> int:
    """Return how many rows may be worked off at once."""
    number = count(value)
    if number > _MOST_WORKERS:
        raise ValueError(f"use a whole number up to {_MOST_WORKERS}")
    return number


@dataclass(frozen=True, kw_only=True)
class PollerSettings:
    """Everything the poller needs to know. Durations are seconds."""

    instance: str = setting(
        "SERVICENOW_INSTANCE",
        _instance,
        None,
        "The instance whose ECC queue is polled: a URL, a host, or the bare name of the instance. `https`, but for loopback.",
    )
    user: str | None = setting(
        "SERVICENOW_API_USER", text, None, "The poller's account on the instance, for basic authentication."
    )
    password: str | None = setting("SERVICENOW_API_PASSWORD", text, None, "Its password.")
    client_id: str | None = setting(
        "SERVICENOW_CLIENT_ID", text, None, "OAuth client (client credentials), in place of the account."
    )
    client_secret: str | None = setting("SERVICENOW_CLIENT_SECRET", text, None, "The client's secret.")
    name: str = setting(
        "POLLER_NAME",
        _poller_name,
        None,
        "What the instance knows the poller by: one of the names in `x_claude_terminal.mids`. The host's name by default.",
    )
    sidecar_url: str = setting(
        "POLLER_SIDECAR_URL",
        _sidecar,
        "http://127.0.0.1:3000",
        "Where the sidecar answers. `https`, but for loopback.",
    )
    sidecar_ca_file: Path | None = setting(
        "POLLER_SIDECAR_CA_FILE", Path, None, "Certificates (PEM) that vouch for a sidecar with `https`."
    )
    interval: float | None = setting(
        "POLLER_INTERVAL",
        _interval,
        "adaptive",
        "Pause between two questions for work: `adaptive` (250 ms while rows come, up to 5 s when idle) or a fixed time.",
    )
    workers: int = setting("POLLER_WORKERS", _workers, "32", "Rows worked off at once, at most 100.")
    api_auth_token: str = shared(Settings, "api_auth_token")
    log_level: str = shared(Settings, "log_level")
    log_format: str = shared(Settings, "log_format")
    log_file: Path | None = shared(Settings, "log_file")


def wanted(environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> bool:
    """Tell whether a poller is configured here."""
    return "SERVICENOW_INSTANCE" in environment.given(environ, env_file)


def load(environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> PollerSettings:
    """Read the poller's settings from the environment, `.env` filling what it lacks.

    Raises:
        ConfigurationError: a value is wrong, a name unknown, or a required one missing. Values are not echoed.
    """
    given = {"POLLER_NAME": socket.gethostname(), **environment.given(environ, env_file)}
    _refuse_unknown(given)
    settings = PollerSettings(**values(PollerSettings, given))
    _check(settings)
    return settings


def table() -> str:
    """Return the poller's settings as a Markdown table."""
    return "\n".join(rows(PollerSettings))


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = {item.metadata["name"] for item in fields(PollerSettings)}
    unknown = sorted(name for name in given if name.startswith("POLLER_") and name not in known)
    if unknown:
        raise ConfigurationError(f"Unknown setting {', '.join(unknown)}: see docs/configuration.md.")


def _check(settings: PollerSettings) -> None:
    if not settings.instance:
        raise ConfigurationError("SERVICENOW_INSTANCE must be set: the instance whose queue is polled.")
    _check_account(settings)
    ca_file = settings.sidecar_ca_file
    if ca_file is not None and not (ca_file.is_file() and os.access(ca_file, os.R_OK)):
        raise ConfigurationError("POLLER_SIDECAR_CA_FILE is no file that can be read.")
    token = settings.api_auth_token or ""
    if not (len(token) >= 16 and token.isascii() and token.isprintable() and " " not in token):
        raise ConfigurationError(
            "API_AUTH_TOKEN must be set to the sidecar's: at least 16 visible ASCII characters."
        )


def _check_account(settings: PollerSettings) -> None:
    basic, client = (settings.user, settings.password), (settings.client_id, settings.client_secret)
    if any(basic) and any(client):
        raise ConfigurationError(
            "Set SERVICENOW_API_USER and SERVICENOW_API_PASSWORD, or SERVICENOW_CLIENT_ID and "
            "SERVICENOW_CLIENT_SECRET, not both."
        )
    if not all(basic) and not all(client):
        raise ConfigurationError(
            "Set both SERVICENOW_API_USER and SERVICENOW_API_PASSWORD, or both SERVICENOW_CLIENT_ID and "
            "SERVICENOW_CLIENT_SECRET."
        )
