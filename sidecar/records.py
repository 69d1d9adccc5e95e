"""What is stored, with the rules over it that need no running service. The command line works on this alone."""

from __future__ import annotations

from sidecar.access.keys import ApiKeys
from sidecar.access.signins import SignIns
from sidecar.audit.spool import Spool
from sidecar.audit.trail import Trail
from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.storage.api_keys import ApiKeyStore
from sidecar.storage.audit import AuditStore
from sidecar.storage.credentials import CredentialStore
from sidecar.storage.database import Database
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sealing import SealingStore
from sidecar.storage.sessions import SessionStore
from sidecar.storage.signins import SignInStore
from sidecar.vault.cipher import Cipher
from sidecar.vault.keyring import Keyring
from sidecar.vault.vault import Means, Vault


class Records:
    """The stores of one database, wired to the vault's keys. Opens nothing before `open`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Wire the stores together; no connection is opened."""
        self.settings = settings
        self.clock = clock
        self.cipher = Cipher.parse(settings.encryption_key)
        self.database = Database(settings.database_url)
        self.audit = AuditStore(self.database)
        self.trail = Trail(self.audit, Spool(settings.data_dir / "audit"), clock)
        note = self.trail.note
        self.sessions = SessionStore(self.database)
        self.outputs = OutputStore(self.database, self.cipher)
        lifetime_s = settings.sealing_key_lifetime
        self.keyring = Keyring(SealingStore(self.database), self.cipher, clock, lifetime_s, note)
        shared = settings.anthropic_api_key if settings.share_host_key else None
        means = Means(self.cipher, self.keyring, shared)
        self.vault = Vault(CredentialStore(self.database), means, clock, note)
        self.api_keys = ApiKeys(ApiKeyStore(self.database), clock, note)
        self.sign_ins = SignIns(SignInStore(self.database), self.api_keys, clock, note)

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
