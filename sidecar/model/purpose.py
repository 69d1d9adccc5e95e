"""What each stored secret is bound to, so that a row's ciphertext opens in that row only.

One place for all: what seals and opens a row and what re-encrypts it must agree. The parts of a purpose hold no
colon, but for the last one, so that no two rows share a purpose.
"""

from __future__ import annotations

from uuid import UUID


def session_credential(session_id: UUID) -> str:
    """Return the purpose of a key given with a session."""
    return f"session-credential:{session_id}"


def credential(credential_id: UUID, user_id: str) -> str:
    """Return the purpose of a user's stored key."""
    return f"credential:{credential_id}:{user_id}"


def sealing_key(kid: str) -> str:
    """Return the purpose of the private half of a pair that keys are sealed to."""
    return f"sealing-key:{kid}"


def output(session_id: UUID, offset: int) -> str:
    """Return the purpose of stored output, so that it cannot be moved within or between sessions."""
    return f"output:{session_id}:{offset}"


def answer(user_id: str, key: str) -> str:
    """Return the purpose of the stored answer to an Idempotency-Key; only the key may hold a colon."""
    return f"answer:{user_id}:{key}"
