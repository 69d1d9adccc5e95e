"""The ways that are compared, by the names they have in the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.emulated import MID

#: Between a bridge and the instance where nothing else is said.
ROUND_TRIP_MS = 50
#: Beside the same sidecar stand MID Servers and pollers of the same names: users keep their stored keys.
QUICK, SLOW, RARE = MID, "slow-bench", "rare-bench"


@dataclass(frozen=True)
class Way:
    """A bridge in one setting, or straight HTTP, which has none."""

    name: str
    #: What the property `x_claude_terminal.bridge` says while its sessions are made; empty for straight HTTP.
    bridge: str
    #: The MID Server's or poller's name on the instance.
    mid: str
    #: Its own parameters (MID Server) or environment (poller).
    settings: Mapping[str, str] = field(default_factory=dict)
    #: It looks seldom: what is asked of it is asked at random moments, without waiting for the one before.
    patient: bool = False
    #: It looks so seldom that only commands are asked of it.
    rare: bool = False

    @property
    def agent(self) -> str:
        """Return what the queue's rows for it have in their column `agent`."""
        return f"{'mid.server' if self.bridge == 'mid' else 'claude.poller'}.{self.mid}"


AMB = Way("MID, AMB", "mid", QUICK)
MID_5S = Way("MID, AMB down, 5 s", "mid", SLOW, {"mid__disable_amb": "true"}, patient=True)
MID_40S = Way(
    "MID, 40 s",
    "mid",
    RARE,
    {"mid__disable_amb": "true", "mid__poll__time": "40"},
    patient=True,
    rare=True,
)
POLLER = Way("poller, adaptive", "poller", QUICK)
POLLER_5S = Way("poller, 5 s", "poller", SLOW, {"POLLER_INTERVAL": "5s"}, patient=True)
DIRECT = Way("direct HTTP", "", "")

#: The two that people choose between.
MAIN = (AMB, POLLER)
