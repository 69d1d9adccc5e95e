"""Consoles: every byte in order, nobody held up by anybody."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from sidecar.errors import InputStalled
from sidecar.model.session import Size
from sidecar.terminal.console import Console
from tests.integration.terminal.conftest import Start
from tests.waiting import until

RING = 256 << 10
FLOOD = "n = 0\nwhile True: os.write(1, b''.join(b'%09d\\n' % (n + k) for k in range(400))); n += 400"


def printed(console: Console) -> bytes:
    return console.read(console.start, 1 << 30) or b""


def ended(console: Console) -> bool:
    return until(lambda: console.exit is not None)


def test_output_comes_whole_and_in_order_to_its_last_byte(start: Start) -> None:
    console = start("os.write(1, b''.join(b'%09d\\n' % n for n in range(50_000)))")

    assert ended(console)

    assert printed(console) == b"".join(b"%09d\n" % number for number in range(50_000))
    assert console.exit is not None
    assert console.exit.code == 0


def test_a_megabyte_of_four_byte_characters_is_byte_identical(start: Start) -> None:
    """M8: whatever the reads cut."""
    console = start("sys.stdout.write(''.join(chr(0x10000 + n % 0x10000) for n in range(262144)))")

    assert ended(console)

    assert printed(console) == "".join(chr(0x10000 + n % 0x10000) for n in range(262_144)).encode()


def test_bytes_that_are_no_text_come_as_they_are(start: Start) -> None:
    console = start("os.write(1, bytes(range(256)) * 40)")

    assert ended(console)

    assert printed(console) == bytes(range(256)) * 40
    assert len(console.snapshot().lines) == 24


@pytest.mark.parametrize(
    ("script", "code", "number"),
    [("sys.exit(7)", 7, None), ("os.kill(os.getpid(), 9)", 137, 9), ("os.abort()", 134, 6)],
)
def test_how_a_program_ended_is_told(start: Start, script: str, code: int, number: int | None) -> None:
    console = start(script)

    assert ended(console)

    assert console.exit is not None
    assert (console.exit.code, console.exit.signal) == (code, number)
    with pytest.raises(InputStalled):
        console.write(b"x")


def test_an_end_is_told_also_while_a_grandchild_holds_the_terminal(start: Start) -> None:
    console = start("print('x', flush=True)\nif os.fork() == 0: time.sleep(1); os._exit(0)\nos._exit(3)")

    assert until(lambda: console.exit is not None)
    assert b"x" in printed(console)


def test_a_program_waits_when_nobody_stores_and_loses_nothing(start: Start) -> None:
    console = start(FLOOD, ring=RING, lossless=True)
    assert until(lambda: console.quiet() > 0.3)
    assert console.start == 0
    assert console.backlog <= RING

    collected = b""
    while len(collected) < 4 * RING:
        chunk = console.unsaved(64 << 10)
        if chunk is None:
            assert until(lambda: console.backlog)
            continue
        assert chunk.offset == len(collected)
        collected += chunk.data
        console.saved(chunk.end)

    assert collected.startswith(b"".join(b"%09d\n" % number for number in range(4 * RING // 10)))


def test_a_program_that_was_held_back_goes_on_when_let_go(start: Start) -> None:
    console = start(FLOOD, ring=RING, lossless=True)
    assert until(lambda: console.quiet() > 0.3)

    console.let_go()

    assert until(lambda: console.end > 4 * RING)
    assert console.end - console.start == RING


def test_a_quick_program_answers_beside_a_flood(start: Start) -> None:
    flood = start(FLOOD)
    echo = start("while True: os.write(1, os.read(0, 100))")
    assert until(lambda: flood.end > 1 << 20)

    for number in range(20):
        echo.write(b"<%d>" % number)
        assert until(lambda number=number: b"<%d>" % number in printed(echo))  # type: ignore[misc]

    before = flood.end
    assert until(lambda: flood.end > before)


def test_a_program_that_does_not_read_stalls_only_its_own_writer(start: Start) -> None:
    deaf, echo = start("time.sleep(600)"), start("while True: os.write(1, os.read(0, 100))")
    assert deaf.process is not None
    failed = []

    def write() -> None:
        try:
            assert deaf.process is not None
            deaf.process.write(b"x" * 200_000, timeout_s=2)
        except InputStalled:
            failed.append(True)

    writer = threading.Thread(target=write)
    writer.start()
    echo.write(b"hello")
    assert until(lambda: b"hello" in printed(echo))
    writer.join(10)

    assert failed


def test_a_slow_reader_gets_all_of_a_long_input(start: Start) -> None:
    script = (
        "os.write(1, b'raw;'); got = 0\n"
        "while got < 100_000: got += len(os.read(0, 1000)); time.sleep(0.002)\n"
        "print('got', got)"
    )
    console = start(script)
    assert until(lambda: b"raw;" in printed(console))

    console.write(b"y" * 100_000)

    assert ended(console)
    assert b"got 100000" in printed(console)


def test_a_storm_of_sizes_ends_with_the_last_one(start: Start) -> None:
    script = (
        "show = lambda *_: os.write(1, b'size %d %d;' % os.get_terminal_size(0))\n"
        # Waited for, not handled: a handler can interrupt itself and then tells the older size last.
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})\nshow()\n"
        "while True: signal.sigwait({signal.SIGWINCH}); show()"
    )
    console = start(script)
    assert until(lambda: b"size 80 24;" in printed(console))

    for number in range(200):
        console.resize(Size(20 + number % 100, 5 + number % 40))
    console.resize(Size(91, 17))

    assert until(lambda: printed(console).endswith(b"size 91 17;"))
    assert len(console.snapshot().lines) == 17


def test_a_program_that_asks_is_answered(start: Start) -> None:
    script = (
        "answers = b''\n"
        "for ask in (b'\\x1b[3;7H\\x1b[c', b'\\x1b[6n', b'\\x1b[5n'):\n"
        "    os.write(1, ask); answers += os.read(0, 100).replace(b'\\x1b', b'ESC') + b';'\n"
        "os.write(1, answers)"
    )
    console = start(script)

    assert ended(console)

    assert b"ESC[?62;22c;" in printed(console)
    assert b"ESC[3;7R;" in printed(console)
    assert b"ESC[0n;" in printed(console)


def test_a_program_that_asks_without_end_and_never_reads_holds_nobody_up(start: Start) -> None:
    asking = start("while True: os.write(1, b'\\x1b[6n' * 100)")
    echo = start("while True: os.write(1, os.read(0, 100))")
    assert until(lambda: asking.end > 100_000)

    echo.write(b"hello")

    assert until(lambda: b"hello" in printed(echo))


def test_a_flood_is_skipped_on_the_screen_and_repaired_by_a_repaint(start: Start) -> None:
    script = (
        "def paint(*_): os.write(1, b'\\x1b[2J\\x1b[Hwell painted')\n"
        "signal.signal(signal.SIGWINCH, paint)\n"
        "os.write(1, b'flood' * 100_000)\nwhile True: time.sleep(60)"
    )
    console = start(script)
    assert until(lambda: console.end >= 500_000 and console.quiet() > 0.1)

    snapshot = console.snapshot()

    assert snapshot.lines[0] == "well painted"
    assert not snapshot.approximate


def test_a_program_that_does_not_repaint_is_asked_once(start: Start, tmp_path: Path) -> None:
    """Every look at the screen used to ask again, and to wait half a second for it."""
    script = (
        "signal.signal(signal.SIGWINCH, lambda *_: open('asked', 'a').write('x'))\n"
        "os.write(1, b'flood' * 100_000)\nwhile True: time.sleep(60)"
    )
    console = start(script)
    assert until(lambda: console.end >= 500_000 and console.quiet() > 0.1)
    assert console.snapshot().approximate
    asked = (tmp_path / "asked").read_text()

    assert console.snapshot().approximate

    assert asked
    assert (tmp_path / "asked").read_text() == asked


def test_a_child_is_reaped_once_whoever_looks(start: Start) -> None:
    """Two threads that reap at once got an error, which ended the reading of all terminals."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(8):
            _reaped_by_all(start("time.sleep(0.05); sys.exit(5)"))
    finally:
        sys.setswitchinterval(interval)


def _reaped_by_all(console: Console) -> None:
    process = console.process
    assert process is not None
    codes: list[int | None] = []

    def look() -> None:
        while (end := process.poll()) is None:
            pass
        codes.append(end.code)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    assert codes == [5] * 4
    assert ended(console)
    assert console.exit is not None
    assert console.exit.code == 5


# -- the user's key --------------------------------------------------------------------------------------

KEY = b"sk-ant-api03-Zq8xW1vN5tR7yU2pL9kJ4hG6fD3sA0mBcVzXe"


@pytest.mark.parametrize("size", [1, 7, 16, 100])
def test_a_key_that_a_program_prints_is_masked_however_it_is_cut(start: Start, size: int) -> None:
    whole = b"before " + KEY + b" after"
    console = start(
        f"for at in range(0, {len(whole)}, {size}): os.write(1, {whole!r}[at:at + {size}]); time.sleep(0.001)",
        secret=KEY,
    )

    assert ended(console)

    shown = printed(console)
    assert len(shown) == len(whole)
    assert KEY not in shown
    assert b"*" * (len(KEY) - 15) + b" after" in shown
    assert "*" * 20 in "".join(console.lines()[0])
    assert KEY.decode() not in console.snapshot().ansi


def test_what_begins_like_the_key_comes_after_a_pause(start: Start) -> None:
    console = start("os.write(1, b'type sk-ant-api')\ntime.sleep(60)", secret=KEY)

    assert until(lambda: printed(console) == b"type sk-ant-api")


def test_what_begins_like_the_key_comes_at_the_end(start: Start) -> None:
    console = start("os.write(1, b'sk-ant-api')", secret=KEY)

    assert ended(console)

    assert printed(console) == b"sk-ant-api"


def test_a_question_is_answered_also_while_bytes_are_held_back(start: Start) -> None:
    script = "os.write(1, b'sk-ant-api\\x1b[6n')\nos.write(1, b'answer' + os.read(0, 20)[1:])"
    console = start(script, secret=KEY)

    assert ended(console)

    assert b"answer[" in printed(console)


def test_another_key_than_the_programs_own_is_not_known(start: Start) -> None:
    console = start(f"os.write(1, {KEY!r})", secret=b"sk-ant-api03-" + b"x" * 40)

    assert ended(console)

    assert printed(console) == KEY
