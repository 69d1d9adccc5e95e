"""The same command as `python -m sidecar.cli`."""

import sys

from sidecar.cli import main

if __name__ == "__main__":
    sys.exit(main())
