"""The part `bridges`: the ways from an instance to the sidecar and back, measured beside each other."""

from benchmarks.bridges.comparison import comparison
from benchmarks.bridges.run import measure

__all__ = ["comparison", "measure"]
