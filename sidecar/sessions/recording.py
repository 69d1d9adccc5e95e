"""A session as an asciicast v2 recording, output only, straight from storage.

Format: https://docs.asciinema.org/manual/asciicast/v2/ — a header line, then `[seconds, "o", text]` per event.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator

from sidecar.model.output import Chunk
from sidecar.model.session import Session


def asciicast(session: Session, chunks: Iterable[Chunk]) -> Iterator[str]:
    """Yield the recording line by line; times count from the session's creation."""
    begin = int(session.created_at.timestamp() * 1000)
    header = {
        "version": 2,
        "width": session.size.columns,
        "height": session.size.rows,
        "timestamp": begin // 1000,
        "title": f"Claude Code session {session.id}",
    }
    yield json.dumps(header) + "\n"
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    latest = begin
    for chunk in chunks:
        for at, data in _events(chunk):
            latest = max(latest, at)  # players refuse to go back in time, which a clock that is set does
            if text := decoder.decode(data):
                yield json.dumps([(latest - begin) / 1000, "o", text], ensure_ascii=False) + "\n"


def _events(chunk: Chunk) -> Iterator[tuple[int, bytes]]:
    place = 0
    for mark in chunk.marks:
        yield mark.at, chunk.data[place : place + mark.length]
        place += mark.length
