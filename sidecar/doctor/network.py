"""Where the service listens, with which certificate, and what it has to reach."""

from __future__ import annotations

import socket
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

from sidecar.clock import Clock
from sidecar.config import Settings, is_loopback
from sidecar.doctor.finding import Verdict, fault, good, warning
from sidecar.errors import ConfigurationError, SidecarError
from sidecar.remote import Remote
from sidecar.vault import certificate

#: A certificate that ends within this is to be renewed now.
_SOON = timedelta(days=14)
_CONNECT_S = 10.0
#: Where the CLI goes without ANTHROPIC_BASE_URL.
_ANTHROPIC = ("api.anthropic.com", 443)


def check_hosts(settings: Settings) -> Verdict:
    """Look whether callers can name the service by what it answers to."""
    names = settings.allowed_hosts
    if not is_loopback(settings.host) and all(is_loopback(name) for name in names):
        return warning(
            f"callers from outside are refused: only {', '.join(names)} may be in their Host header",
            "Set ALLOWED_HOSTS to the names they use.",
        )
    return good(f"listens on {settings.host}, answers to {', '.join(names)}")


def check_port(settings: Settings, remote: Remote, *, running: bool) -> Verdict:
    """Look whether the port is free, or answers as the service that holds our data directory."""
    if not settings.port:
        return good("any free one, chosen by the system")
    if running:
        return _check_running(remote)
    try:
        _bind(settings)
    except OSError as error:
        return _occupied(settings, remote, error)
    return good(f"{settings.port} is free")


def _check_running(remote: Remote) -> Verdict:
    try:
        health = remote.health()
    except SidecarError as error:
        return warning(
            f"a service holds the data directory, but: {error.detail}",
            "It may be starting or ending, or was started with other settings: look into its log.",
        )
    return good(f"our service answers at {remote.address}: {health['status']}")


def _bind(settings: Settings) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host.strip("[]"), settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        # As gunicorn does: connections of an earlier run that are only being forgotten do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen()


def _occupied(settings: Settings, remote: Remote, error: OSError) -> Verdict:
    if isinstance(error, PermissionError):
        return fault(
            f"this account may not listen on port {settings.port}",
            "Set SIDECAR_PORT to 1024 or more, or lower sysctl net.ipv4.ip_unprivileged_port_start.",
        )
    if isinstance(error, socket.gaierror) or "assign" in (error.strerror or ""):
        return fault(
            f"{settings.host} is no address of this host", "Set SIDECAR_HOST to one that `ip address` shows."
        )
    who = "another program"
    with suppress(SidecarError):
        remote.health()
        who = "a sidecar on another data directory"
    return fault(
        f"port {settings.port} is taken by {who}",
        f"`ss -ltnp sport = :{settings.port}` names it; stop it, or set SIDECAR_PORT to another port.",
    )


def check_tls(settings: Settings, clock: Clock) -> Verdict:
    """Look at the certificate and its key."""
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return good("not used: loopback only" if is_loopback(settings.host) else "spoken by TRUSTED_PROXY")
    try:
        valid = certificate.validity(settings.tls_cert_file, settings.tls_key_file)
    except ConfigurationError as error:
        return fault(
            error.detail, "Set TLS_CERT_FILE and TLS_KEY_FILE to a pair in PEM, the key without a password."
        )
    now = clock.now()
    if now > valid.until:
        return fault(
            f"the certificate expired on {valid.until:%Y-%m-%d}", "Renew it, then send the service SIGHUP."
        )
    if now < valid.since:
        return fault(
            f"the certificate is valid from {valid.since:%Y-%m-%d} only", "See whether the clock is right."
        )
    if now + _SOON > valid.until:
        return warning(
            f"the certificate expires on {valid.until:%Y-%m-%d}", "Renew it, then send the service SIGHUP."
        )
    return good(f"the certificate is valid until {valid.until:%Y-%m-%d}")


def check_anthropic(settings: Settings) -> Verdict:
    """Connect to the API that Claude Code talks to; nothing is sent."""
    try:
        host, port = _api(settings.anthropic_base_url)
    except ValueError:
        return fault("ANTHROPIC_BASE_URL is no URL", "Write it as https://name, with a port if it needs one.")
    try:
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
    except OSError as error:
        return fault(
            f"{host}:{port} cannot be reached: {error.strerror or error}",
            "Open the firewall for it, or set ANTHROPIC_BASE_URL to your gateway.",
        )
    return good(f"{host}:{port} can be reached")


def _api(url: str | None) -> tuple[str, int]:
    if not url:
        return _ANTHROPIC
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(url)
    return parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)
