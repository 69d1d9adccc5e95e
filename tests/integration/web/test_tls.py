"""The real server with a certificate."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.server import MakeServer, Server


@pytest.fixture
def tls(tmp_path: Path, make_server: MakeServer) -> Server:
    """Return a server with a certificate of its own making."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        [*command, *names, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    return make_server(verify=str(certificate), TLS_CERT_FILE=str(certificate), TLS_KEY_FILE=str(key))


def shake_hands(server: Server, version: ssl.TLSVersion) -> str | None:
    context = ssl.create_default_context(cafile=str(server.verify))
    context.set_ciphers("ALL:@SECLEVEL=0")  # or this side would refuse the old ones itself
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        return connection.version()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_with_a_certificate_it_speaks_tls_1_2_and_newer_only(tls: Server) -> None:
    assert tls.url.startswith("https://")
    assert tls.call("GET", "/health").status_code == 200
    assert shake_hands(tls, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert shake_hands(tls, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            shake_hands(tls, old)
