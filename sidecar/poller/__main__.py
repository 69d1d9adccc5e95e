"""The poller's own process, as `python -m sidecar.poller`; `claude-sidecar poller` becomes it."""

from __future__ import annotations

import sys

from sidecar import config
from sidecar.errors import ConfigurationError
from sidecar.isolation.account import conceal
from sidecar.poller.process import run


def main() -> int:
    """Read the settings and poll; return the exit status."""
    try:
        conceal()  # the environment holds the secrets
        settings = config.poller.load()
    except ConfigurationError as error:
        print(f"claude-sidecar: {error.detail}", file=sys.stderr)
        return 1
    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
