"""The API key a session pays with: one of its user's stored keys, a key of its own, or the host's."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sidecar.model import purpose
from sidecar.model.credential import ChosenKey, KeyChoice
from sidecar.model.session import Session
from sidecar.storage.sessions import SessionStore
from sidecar.vault.cipher import Cipher
from sidecar.vault.vault import Vault


@dataclass(frozen=True)
class Keys:
    """Find the key of a session, when it is created and each time it wakes."""

    store: SessionStore
    cipher: Cipher
    vault: Vault

    def choose(self, user_id: str, choice: KeyChoice) -> ChosenKey:
        """Return the key a new session will use.

        Raises:
            InvalidRequest: there is none, or it is not clear which one is meant.
            StorageUnavailable: the database does not answer.
        """
        return self.vault.choose(user_id, choice)

    def seal(self, session_id: UUID, chosen: ChosenKey) -> bytes | None:
        """Return what is stored with the session: of a stored key and of the host's there is no copy."""
        if not chosen.plain:
            return None
        return self.cipher.encrypt(chosen.key.encode(), purpose.session_credential(session_id))

    def open(self, session: Session) -> str:
        """Return the key of a stored session.

        Raises:
            CredentialGone: it was a stored one, which has been removed.
            DecryptionFailed: it was sealed with a key of the vault that is gone.
            StorageUnavailable: the database does not answer.
        """
        if session.credential_id is not None:
            return self.vault.open(session.user_id, session.credential_id)
        sealed = self.store.credential(session.id)
        if sealed is None:
            return self.vault.host_key()
        return self.cipher.decrypt(sealed, purpose.session_credential(session.id)).decode()
