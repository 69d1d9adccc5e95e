"""Encryption of what is stored, and the keys for it."""
