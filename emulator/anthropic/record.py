"""The request log: what was asked and how it ended. Never holds the value of a key."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from threading import Condition
from typing import Any, TextIO

from emulator.anthropic.clock import Clock

#: Characters kept of the last user text; of everything else a client sends.
LONGEST_TEXT = 500
LONGEST_FIELD = 200

#: Earlier prompts of a conversation that are kept with a request, the latest ones.
MOST_EARLIER = 20

#: Requests kept in memory; the file keeps all.
REMEMBERED = 10_000

MASK = "***"

#: A shorter value is a made-up key of a test; masking it would garble ordinary words.
SHORTEST_SECRET = 8


@dataclass(frozen=True)
class Entry:
    """One request. `status` is 0 until the answer begins, `done` is set when the handler has finished."""

    at: str
    method: str
    path: str
    credential: str = "none"
    session: str = ""
    model: str = ""
    text: str = ""
    earlier: tuple[str, ...] = ()
    behaviour: str = ""
    stream: bool = False
    status: int = 0
    output_tokens: int = 0
    client_gone: bool = False
    done: bool = False


@dataclass(frozen=True)
class Headers:
    """What a request's headers say: which credential headers were used, and the session.

    The values of the credentials are held only to mask them in what is logged of the same request.
    """

    credential: str
    session: str
    _secrets: tuple[str, ...]

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Headers:
        """Read the headers of a request; names are matched as the mapping does."""
        used = {name: headers.get(name) or "" for name in ("x-api-key", "authorization")}
        secrets = (value.rpartition(" ")[2] for value in used.values())
        return cls(
            credential="+".join(name for name, value in used.items() if value) or "none",
            session=headers.get("x-claude-code-session-id") or "",
            _secrets=tuple(secret for secret in secrets if len(secret) >= SHORTEST_SECRET),
        )

    def __repr__(self) -> str:
        """Return the credential header's name and the session, never a value."""
        return f"Headers({self.credential!r}, {self.session!r})"

    def mask(self, text: str, longest: int = LONGEST_FIELD) -> str:
        """Return at most `longest` characters of `text`, the request's own credentials masked."""
        # A tool may print the environment, so the key can stand in the text of the next request.
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text[:longest]


class Record:
    """The entries in order of arrival; safe to use from several threads."""

    def __init__(self, clock: Clock, file: TextIO | None = None) -> None:
        """Keep entries in memory and append each finished one to `file` as a line of JSON."""
        self._clock = clock
        self._file = file
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._changed = Condition()
        self._added = 0

    def open(self, method: str, path: str, headers: Headers) -> int:
        """Add a request that has just arrived and return its number, for `update`."""
        entry = Entry(
            at=self._clock.now().isoformat(timespec="milliseconds"),
            method=method[:LONGEST_FIELD],
            path=headers.mask(path),
            credential=headers.credential,
            session=headers.mask(headers.session),
        )
        with self._changed:
            self._added += 1
            self._entries[self._added] = entry
            self._forget_locked()
            self._changed.notify_all()
            return self._added

    def update(self, number: int, **changes: Any) -> None:
        """Change fields of one entry; the change that sets `done` also writes it to the file."""
        with self._changed:
            if number in self._entries:
                entry = self._entries[number] = replace(self._entries[number], **changes)
                self._write_locked(entry)
                self._changed.notify_all()

    def entries(self) -> tuple[Entry, ...]:
        """Return the entries so far, oldest first."""
        with self._changed:
            return tuple(self._entries.values())

    def wait(self, condition: Callable[[tuple[Entry, ...]], bool], seconds: float) -> bool:
        """Wait until `condition` holds for the entries; return whether it does before `seconds` have passed."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(tuple(self._entries.values())), seconds)

    def documents(self) -> list[dict[str, object]]:
        """Return the entries as JSON objects."""
        return [{**asdict(entry), "earlier": list(entry.earlier)} for entry in self.entries()]

    def _write_locked(self, entry: Entry) -> None:
        if entry.done and self._file is not None:
            self._file.write(json.dumps(asdict(entry)) + "\n")
            self._file.flush()

    def _forget_locked(self) -> None:
        while len(self._entries) > REMEMBERED:
            self._entries.popitem(last=False)
