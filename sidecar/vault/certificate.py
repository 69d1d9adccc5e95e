"""The certificate the service shows to its callers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sidecar.errors import ConfigurationError


@dataclass(frozen=True)
class Validity:
    """The time a certificate is valid in."""

    since: datetime
    until: datetime


def validity(certificate: Path, key: Path) -> Validity:
    """Return when the first certificate of a chain is valid.

    Raises:
        ConfigurationError: one of the files cannot be read, or the key is of another certificate.
    """
    try:
        first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise ConfigurationError("TLS_CERT_FILE holds no certificate in PEM") from error
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except (
        OSError,
        ValueError,
        TypeError,
    ) as error:  # TypeError: it has a password, which nobody could enter
        raise ConfigurationError(
            "TLS_KEY_FILE holds no private key in PEM, or one with a password"
        ) from error
    if _bytes(private.public_key()) != _bytes(first.public_key()):
        raise ConfigurationError(
            "the key in TLS_KEY_FILE is of another certificate than that in TLS_CERT_FILE"
        )
    return Validity(first.not_valid_before_utc, first.not_valid_after_utc)


def _bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
