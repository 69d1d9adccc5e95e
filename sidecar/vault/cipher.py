"""Authenticated encryption of stored secrets and output."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sidecar.errors import ConfigurationError, DecryptionFailed

#: AES-256.
KEY_BYTES = 32

_VERSION = b"\x01"
_KEY_ID_BYTES = 8
_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES
#: Random, 96 bits: safe for 2^32 tokens under one key (NIST SP 800-38D, 8.3); rotate before that.
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{64}")


class Cipher:
    """AES-256-GCM under several keys: the first encrypts, all decrypt.

    A token is one version byte, eight bytes naming the key, the nonce, and the ciphertext with its tag.
    It hides neither the length of the plaintext nor which key was used.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take the keys, newest first.

        Raises:
            ConfigurationError: there is no key, or one is not 32 bytes long.
        """
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ConfigurationError("encryption needs at least one key, each of 32 bytes")
        self._newest = _header(keys[0])
        self._keys = {_header(key): AESGCM(key) for key in keys}

    @classmethod
    def parse(cls, hex_keys: str) -> Cipher:
        """Return the cipher for a setting: 64 hex digits, several separated by commas, newest first.

        Raises:
            ConfigurationError: a key has another form; the text does not repeat it.
        """
        keys = [key.strip() for key in hex_keys.split(",")]
        if not all(_HEX_KEY.fullmatch(key) for key in keys):
            raise ConfigurationError(
                "ENCRYPTION_KEY must be 64 hex digits, or several of them with commas between"
            )
        return cls([bytes.fromhex(key) for key in keys])

    @property
    def newest(self) -> bytes:
        """Return what every token under the newest key begins with."""
        return self._newest

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Return the names of the keys, newest first; they tell nothing of the keys."""
        return tuple(key_id(header) for header in self._keys)

    def encrypt(self, plaintext: bytes, purpose: str) -> bytes:
        """Return a token that opens only for the same `purpose`."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self._newest].encrypt(nonce, plaintext, _bound(self._newest, purpose))
        return self._newest + nonce + sealed

    def decrypt(self, token: bytes, purpose: str) -> bytes:
        """Return what was encrypted for `purpose`.

        Raises:
            DecryptionFailed: for whatever reason. Which one is not told: it would only help to forge.
        """
        header, body = token[:_HEADER_BYTES], token[_HEADER_BYTES:]
        key = self._keys.get(header)
        if key is None or len(body) < _NONCE_BYTES + _TAG_BYTES:
            raise DecryptionFailed
        try:
            return key.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound(header, purpose))
        except InvalidTag:
            raise DecryptionFailed from None


def key_id(token: bytes) -> str:
    """Return the name of the key a token was encrypted with."""
    return token[len(_VERSION) : _HEADER_BYTES].hex()


def _header(key: bytes) -> bytes:
    """Name `key` by a hash under its own label, so that the name tells nothing about the key."""
    return _VERSION + hashlib.sha256(b"claude-sidecar key id\x00" + key).digest()[:_KEY_ID_BYTES]


def _bound(header: bytes, purpose: str) -> bytes:
    """Return the associated data; the header has a fixed length, so nothing is ambiguous."""
    return header + purpose.encode()
