"""A sidecar on another host, with a certificate: trusted when it is vouched for, and not otherwise."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.probe import StubSidecar
from tests.integration.poller.conftest import Site


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for loopback, with its key in the same file."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = tmp_path / "cert.pem"
    key = tmp_path / "key.pem"
    subprocess.run([*command, *names, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made


@pytest.fixture
def https(certificate: Path, site: Site) -> Iterator[Site]:
    """Return a site whose sidecar speaks HTTPS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    stub = StubSidecar()
    stub._server.socket = context.wrap_socket(stub._server.socket, server_side=True)
    stub.start()
    site.environment["POLLER_SIDECAR_URL"] = stub.url.replace("http://", "https://")
    yield site
    stub.stop()


def test_a_certificate_that_is_vouched_for_is_trusted(https: Site, certificate: Path) -> None:
    https.environment["POLLER_SIDECAR_CA_FILE"] = str(certificate)
    https.start()
    https.give("a")
    assert https.answered("a")

    assert https.instance.answers()["a" * 32]["ok"] is True


def test_any_other_is_not(https: Site, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of certificates is for the way to the instance only."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    https.start()
    https.give("a")
    assert https.answered("a")

    problem = https.instance.answers()["a" * 32]["problem"]
    assert (problem["status"], problem["title"]) == (502, "Sidecar not reachable")
