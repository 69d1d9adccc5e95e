"""What every test may use; the fixtures are in tests/fixtures, one noun each."""

from __future__ import annotations

import gc
import signal

from hypothesis import settings

pytest_plugins = [
    "tests.fixtures.leaks",
    "tests.fixtures.clock",
    "tests.fixtures.postgresql",
    "tests.fixtures.database",
    "tests.fixtures.server",
    "tests.fixtures.services",
    "tests.fixtures.servicenow",
    "tests.fixtures.loop",
    "tests.fixtures.probe",
    "tests.fixtures.browser",
]

# No deadline: it measures the machine. No database: the checkout may be read-only for the account.
settings.register_profile("sidecar", deadline=None, database=None)
settings.load_profile("sidecar")

# A shell that runs the tests in the background has Ctrl-C ignored, and every program started from here inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep the thousands of tests that were collected out of every garbage collection from here on."""
    gc.collect()
    gc.freeze()
