"""The log: one line per event, the same redaction for every line."""
