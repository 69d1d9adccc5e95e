"""What all connections of one server share."""

from __future__ import annotations

from dataclasses import dataclass
from socket import socket

from emulator.anthropic.attempts import Attempts
from emulator.anthropic.clock import Clock
from emulator.anthropic.record import Record
from emulator.anthropic.script import Script


@dataclass(frozen=True)
class Stage:
    """The collaborators of a handler."""

    script: Script
    record: Record
    attempts: Attempts
    clock: Clock
    #: Becomes readable when the server stops.
    closing: socket
    tokens_per_second: float
