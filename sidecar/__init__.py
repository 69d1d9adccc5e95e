"""Run Claude Code sessions for ServiceNow, next to a MID Server."""

__version__ = "0.1.0"
