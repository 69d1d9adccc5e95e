"""Every kind of sealed row, and what each is bound to: for those who go through all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column

from sidecar.model import purpose
from sidecar.storage.tables import answers, credentials, outputs, sealing_keys, sessions


@dataclass(frozen=True)
class Kind:
    """A sealed column, the columns its purpose is made of, and how."""

    #: What is sealed, in words.
    name: str
    sealed: Column[bytes]
    bound: tuple[Column[Any], ...]
    purpose: Callable[..., str]

    @property
    def key(self) -> Sequence[Column[Any]]:
        """Return the columns of the table's primary key, in its order."""
        return tuple(self.sealed.table.primary_key)


KINDS = (
    Kind("sessions' keys", sessions.c.credential, (sessions.c.id,), purpose.session_credential),
    Kind(
        "stored credentials",
        credentials.c.sealed,
        (credentials.c.id, credentials.c.user_id),
        purpose.credential,
    ),
    Kind("sealing keys", sealing_keys.c.private, (sealing_keys.c.kid,), purpose.sealing_key),
    Kind("stored answers", answers.c.sealed, (answers.c.user_id, answers.c.key), purpose.answer),
    # Last, because there is most of it.
    Kind("output", outputs.c.sealed, (outputs.c.session_id, outputs.c.offset), purpose.output),
)
