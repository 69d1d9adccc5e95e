"""Any program on a pseudo-terminal: process, reader, ring, screen. Knows nothing of Claude Code."""
