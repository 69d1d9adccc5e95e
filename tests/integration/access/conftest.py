"""Keys and sign-ins on both databases, with a clock the test moves."""

from __future__ import annotations

import pytest

from sidecar.access.keys import ApiKeys
from sidecar.access.signins import SignIns
from sidecar.storage.api_keys import ApiKeyStore
from sidecar.storage.database import Database
from sidecar.storage.signins import SignInStore
from tests.fakes.clock import FakeClock


@pytest.fixture
def keys(database: Database, clock: FakeClock) -> ApiKeys:
    return ApiKeys(ApiKeyStore(database), clock)


@pytest.fixture
def sign_ins(database: Database, keys: ApiKeys, clock: FakeClock) -> SignIns:
    return SignIns(SignInStore(database), keys, clock)
