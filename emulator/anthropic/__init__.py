"""A stand-in on the loopback interface for the Messages API that the Claude Code CLI talks to."""

from emulator.anthropic.record import Entry
from emulator.anthropic.server import Server, Settings, SettingsError

__all__ = ["Entry", "Server", "Settings", "SettingsError"]
