"""What every test may use; the fixtures are in tests/fixtures, one noun each."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.leaks",
    "tests.fixtures.clock",
    "tests.fixtures.postgresql",
    "tests.fixtures.database",
]
