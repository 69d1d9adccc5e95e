"""Stores over a database, and sessions to put in."""

from __future__ import annotations

import pytest

from sidecar.storage.database import Database
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sessions import SessionStore
from sidecar.vault.cipher import Cipher


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([bytes(range(32))])


@pytest.fixture
def sessions(database: Database) -> SessionStore:
    return SessionStore(database)


@pytest.fixture
def outputs(database: Database, cipher: Cipher) -> OutputStore:
    return OutputStore(database, cipher)
