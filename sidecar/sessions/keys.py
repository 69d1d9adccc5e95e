"""The API key a session pays with, sealed at rest."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sidecar.errors import InvalidRequest
from sidecar.storage.sessions import SessionStore
from sidecar.vault.cipher import Cipher


@dataclass(frozen=True)
class Keys:
    """Seal users' keys and open them for their own sessions only."""

    store: SessionStore
    cipher: Cipher
    #: The host's own key, if users without one may use it.
    shared: str | None

    def choose(self, given: str | None) -> str:
        """Return the key a new session will use.

        Raises:
            InvalidRequest: the user gave none, and there is none to share.
        """
        key = given or self.shared
        if key is None:
            raise InvalidRequest.of(
                "credentials", "an Anthropic API key is needed: credentials.anthropicApiKey"
            )
        return key

    def seal(self, session_id: UUID, given: str | None) -> bytes | None:
        """Return what is stored of a user's own key; the host's is not stored."""
        return self.cipher.encrypt(given.encode(), _purpose(session_id)) if given else None

    def open(self, session_id: UUID) -> str:
        """Return the key of a stored session.

        Raises:
            DecryptionFailed: it was sealed with a key of the vault that is gone.
            StorageUnavailable: the database does not answer.
        """
        sealed = self.store.credential(session_id)
        if sealed is None:
            return self.choose(None)
        return self.cipher.decrypt(sealed, _purpose(session_id)).decode()


def _purpose(session_id: UUID) -> str:
    return f"session-credential:{session_id}"
