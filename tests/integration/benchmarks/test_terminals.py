"""The same terminals on a bare PTY and behind a real terminado server: what is typed comes back, what is printed arrives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import host
from benchmarks.crowd import Terminals
from benchmarks.line import BareSeat, Line, Seat
from benchmarks.program import PERIOD_S


@pytest.fixture(scope="module", params=["bare", "terminado"])
def seat(request: pytest.FixtureRequest) -> Iterator[Seat]:
    """Give where terminals are had."""
    if request.param == "bare":
        yield BareSeat()
        return
    with host.terminado() as found:
        yield found.seat


@pytest.fixture
def terminals(seat: Seat) -> Iterator[Terminals]:
    """Give two terminals."""
    found = Terminals(seat)
    try:
        found.grow(2)
        yield found
    finally:
        found.close()


def test_a_terminal_echoes_prints_and_is_read_to_the_last_byte(terminals: Terminals) -> None:
    terminals.begin_echo()
    echoes = [terminals.echo(token) for token in (b"<000001>", b"<000002>")]
    terminals.end_echo()
    _, took, faults = terminals.flood(b"show", 300_000)
    delays, lost = terminals.tick(2)

    assert [wrong for _, wrong in echoes] == [[], []]
    assert all(seconds > 0 for seconds, _ in echoes)
    assert (took > 0, faults) == (True, [])
    assert (len(delays), lost) == (4, [])
    assert all(0 < delay < 60_000 * PERIOD_S for delay in delays)


class _Lossy:
    """A terminal on a bare PTY that loses the end of each piece that is long."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def receive(self) -> bytes:
        data = self._line.receive()
        return data[:-1] if len(data) > 100 else data

    def __getattr__(self, name: str) -> object:
        return getattr(self._line, name)


class _LossySeat:
    def open(self, number: int) -> Line:
        return _Lossy(BareSeat().open(number))  # type: ignore[return-value]  # the rest is the real line's


def test_what_a_host_loses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.line.PATIENCE_S", 1)
    terminals = Terminals(_LossySeat())
    try:
        terminals.grow(1)
        _, _, faults = terminals.flood(b"print", 100_000)
    finally:
        terminals.close()

    assert any("is not the one printed there" in fault for fault in faults)
    assert any("never came" in fault for fault in faults)
