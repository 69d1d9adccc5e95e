"""What is stored, with the rules over it that need no running service. The command line works on this alone."""

from __future__ import annotations

from sidecar.access.keys import ApiKeys
from sidecar.access.signins import SignIns
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.storage.api_keys import ApiKeyStore
from sidecar.storage.database import Database
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sessions import SessionStore
from sidecar.storage.signins import SignInStore
from sidecar.vault.cipher import Cipher


class Records:
    """The stores of one database, wired to the vault's keys. Opens nothing before `open`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Wire the stores together; no connection is opened."""
        self.settings = settings
        self.clock = clock
        self.cipher = Cipher.parse(settings.encryption_key)
        self.database = Database(settings.database_url)
        self.sessions = SessionStore(self.database)
        self.outputs = OutputStore(self.database, self.cipher)
        self.api_keys = ApiKeys(ApiKeyStore(self.database), clock)
        self.sign_ins = SignIns(SignInStore(self.database), self.api_keys, clock)

    def open(self) -> None:
        """Open the database and bring its schema to the newest version.

        Raises:
            ConfigurationError, StorageUnavailable: it cannot be used; it is closed again.
        """
        self.database.open()
        try:
            self.database.migrate()
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Close the database. May be called twice."""
        self.database.close()
