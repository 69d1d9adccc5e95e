"""What came, held against what was printed: nothing lost, nothing changed, nothing out of its order. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.program import parse_record


@dataclass
class Check:
    """Compares what arrives with what was printed, byte by byte at its offset."""

    expected: bytes
    faults: list[str] = field(default_factory=list)

    def take(self, offset: int, data: bytes) -> None:
        """Look at `data` that is said to stand at `offset`; note the first byte that differs."""
        wanted = self.expected[offset : offset + len(data)]
        if data != wanted:
            wrong = next(
                (place for place, pair in enumerate(zip(data, wanted, strict=False)) if pair[0] != pair[1]),
                len(wanted),
            )
            self.faults.append(f"the byte at offset {offset + wrong} is not the one printed there")


@dataclass
class Track:
    """What one reader has seen of one program's records."""

    #: How many are due.
    records: int
    delays_ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _next: int = 0
    _rest: bytes = b""

    def take(self, data: bytes, now_ns: int) -> None:
        """Look at what arrived: every record in its order and whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                number, at_ns = parse_record(line)
            except ValueError as error:
                self.faults.append(str(error))
                continue
            if number != self._next:
                self.faults.append(f"record {number} came where {self._next} was due")
            self._next = number + 1
            self.delays_ms.append((now_ns - at_ns) / 1e6)

    @property
    def complete(self) -> bool:
        """Tell whether the last record is there."""
        return self._next >= self.records

    def close(self) -> None:
        """Note what never came."""
        if len(self.delays_ms) != self.records and not self.faults:
            self.faults.append(f"{self.records - len(self.delays_ms)} of {self.records} records are lost")
