"""Users' stored API keys: added once, sealed or plain, and named by their id from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

from sidecar.clock import Clock
from sidecar.errors import CredentialGone, InvalidRequest
from sidecar.model import purpose
from sidecar.model.credential import ChosenKey, Credential, KeyChoice, Seal, hint_of
from sidecar.model.event import Note, unnoted
from sidecar.vault.cipher import Cipher
from sidecar.vault.keyring import Keyring
from sidecar.vault.sealed import refusal, unseal

#: Keys one user may store.
MOST_CREDENTIALS = 20

# In a class with a method `list`, the annotation list[...] would mean that method.
_Page = tuple[Sequence[Credential], int]


class CredentialStore(Protocol):
    """Where the encrypted keys are kept."""

    def add(
        self, credential: Credential, sealed: bytes, *, seal: Seal | None, most: int
    ) -> Credential | None:
        """Store it, and return it or the one that came with the same seal; None if that one was removed."""

    def sealed(self, user_id: str, credential_id: UUID) -> bytes | None:
        """Return the encrypted key; None if the user has none of this id."""

    def list(self, user_id: str, *, limit: int, offset: int) -> _Page:
        """Return a page of the user's, newest first, and how many there are."""

    def remove(self, user_id: str, credential_id: UUID, at: datetime) -> None:
        """Erase the key, or raise `NotFound`."""

    def purge(self, before: datetime) -> int:
        """Delete what is left of removed ones whose seal has expired; return how many."""


@dataclass(frozen=True)
class Means:
    """What opens and closes the vault."""

    cipher: Cipher
    keyring: Keyring
    #: The host's own key, if users without one may use it.
    shared: str | None = field(repr=False)


class Vault:
    """Keep users' keys. One user's key is to another the same as none."""

    def __init__(self, store: CredentialStore, means: Means, clock: Clock, note: Note = unnoted) -> None:
        """Work on `store`."""
        self._note = note
        self._store = store
        self._means = means
        self._clock = clock

    def add(self, user_id: str, key: str) -> Credential:
        """Store a key, which has the form of one.

        Raises:
            LimitReached: the user has as many as allowed.
        """
        return self._add(user_id, key, None, "anthropicApiKey")

    def add_sealed(self, user_id: str, token: str, *, field: str = "sealed") -> Credential:
        """Store a sealed key; the same one again gives the same credential.

        Raises:
            SealRefused: it cannot be opened, or what came of it has been removed. `field` is where it was given.
            LimitReached: the user has as many as allowed.
        """
        unsealed = unseal(token, user_id, self._means.keyring.find, self._clock.now())
        if unsealed is None:
            raise refusal(field)
        return self._add(user_id, unsealed.key, unsealed.seal, field)

    def keep(self, user_id: str, choice: KeyChoice) -> Credential:
        """Store the key that is given, plain or sealed.

        Raises:
            SealRefused, LimitReached: see `add_sealed`.
            InvalidRequest: none is given.
        """
        if choice.sealed is not None:
            return self.add_sealed(user_id, choice.sealed)
        if choice.plain is None:
            raise InvalidRequest.of("anthropicApiKey", "is missing")
        return self.add(user_id, choice.plain)

    def list(self, user_id: str, *, limit: int, offset: int = 0) -> _Page:
        """Return a page of the user's credentials, newest first, and how many there are in all."""
        return self._store.list(user_id, limit=limit, offset=offset)

    def remove(self, user_id: str, credential_id: UUID) -> None:
        """Erase a stored key. Programs that run with it go on until they end.

        Raises:
            NotFound: the user has no such credential.
        """
        self._store.remove(user_id, credential_id, self._clock.now())
        self._note("credential.remove", user=user_id, credential=str(credential_id))

    def open(self, user_id: str, credential_id: UUID) -> str:
        """Return a stored key.

        Raises:
            CredentialGone: it has been removed.
            DecryptionFailed: it was encrypted with a key that is gone.
        """
        sealed = self._store.sealed(user_id, credential_id)
        if sealed is None:
            raise CredentialGone
        return self._means.cipher.decrypt(sealed, purpose.credential(credential_id, user_id)).decode()

    def choose(self, user_id: str, choice: KeyChoice) -> ChosenKey:
        """Return the key to work with. A sealed one is stored first.

        Raises:
            InvalidRequest: it is not known, or nothing was named and it is not clear which one is meant.
        """
        if choice.plain is not None:
            return ChosenKey(choice.plain, plain=True)
        if choice.sealed is not None:
            added = self.add_sealed(user_id, choice.sealed, field="credentials.sealed")
            return ChosenKey(self.open(user_id, added.id), added.id)
        if choice.credential_id is not None:
            return self._named(user_id, choice.credential_id)
        return self._only(user_id)

    def host_key(self) -> str:
        """Return the host's own key, for users who have none.

        Raises:
            InvalidRequest: it is not shared.
        """
        if self._means.shared is None:
            raise InvalidRequest.of(
                "credentials",
                "an Anthropic API key is needed: store one, or give credentials.anthropicApiKey",
            )
        return self._means.shared

    def purge(self) -> None:
        """Delete what is left of removed keys once it is of no more use."""
        self._store.purge(self._clock.now())

    def _add(self, user_id: str, key: str, seal: Seal | None, field: str) -> Credential:
        fresh = Credential(uuid4(), user_id, hint_of(key), self._clock.now())
        sealed = self._means.cipher.encrypt(key.encode(), purpose.credential(fresh.id, user_id))
        added = self._store.add(fresh, sealed, seal=seal, most=MOST_CREDENTIALS)
        if added is None:
            raise refusal(field)
        if added.id == fresh.id:  # not the repeat of one that is there
            self._note("credential.add", user=user_id, credential=str(added.id), sealed=seal is not None)
        return added

    def _named(self, user_id: str, credential_id: UUID) -> ChosenKey:
        try:
            return ChosenKey(self.open(user_id, credential_id), credential_id)
        except CredentialGone:
            raise InvalidRequest.of("credentials.credentialId", "unknown credential") from None

    def _only(self, user_id: str) -> ChosenKey:
        """Return the user's only key, or the host's for a user without one."""
        found, total = self.list(user_id, limit=1)
        if total > 1:
            raise InvalidRequest.of(
                "credentials", f"{total} keys are stored: name one by credentials.credentialId"
            )
        return self._named(user_id, found[0].id) if found else ChosenKey(self.host_key())
