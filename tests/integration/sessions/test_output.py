"""Output: complete, repeatable, under offsets that only grow."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sidecar.model.output import Chunk, Mark
from sidecar.model.session import SessionState
from sidecar.services import Services
from sidecar.sessions.desk import Span
from tests.fixtures.services import BOTH_DATABASES, BOTH_ISOLATIONS, MakeServices
from tests.integration.sessions.driver import FOR_EVER_S, PATIENCE_S, Driver
from tests.waiting import until

RING = 256 << 10
CHARACTERS = 262_144


def four_byte_characters() -> bytes:
    return "".join(chr(0x10000 + number % 0x10000) for number in range(CHARACTERS)).encode()


def stored(session: Driver) -> bytes:
    chunks = list(session.services._outputs.chunks(session.id))
    begin = 0
    for chunk in chunks:
        assert chunk.offset == begin
        begin = chunk.end
    return b"".join(chunk.data for chunk in chunks)


@BOTH_DATABASES
def test_a_megabyte_of_four_byte_characters_arrives_and_is_stored_byte_by_byte(
    make_services: MakeServices,
) -> None:
    """M8: chunks cut inside characters and stored in any order."""
    services = make_services(output_buffer=RING)
    session = Driver.create(services)
    wanted = b"BEGIN" + four_byte_characters() + b"END"
    assert len(wanted) > 1 << 20

    receipt = session.command(f"[[wide {CHARACTERS}]]")
    found = session.printed(b"END", receipt.cursor)

    assert wanted in found
    assert session.shows("You said:")

    def all_stored() -> bool:
        """Tell whether everything is stored; the program may still be painting."""
        services._writer.store_all()
        return stored(session) == session.everything()

    assert until(all_stored)
    assert wanted in stored(session)


@BOTH_ISOLATIONS
def test_text_readings_never_cut_a_character(services: Services) -> None:
    """M8: each answer is whole code points, and nothing is missing between two of them."""
    session = Driver.create(services)
    receipt = session.command("[[wide 20000]]")
    session.printed(b"END", receipt.cursor)
    assert session.shows("You said:")

    text, cursor = "", receipt.cursor
    while True:
        reading = services.sessions.output(session.access, cursor, Span(1021, 0, text=True))
        if not reading.data:
            break
        text += reading.data.decode("utf-8", "strict")
        assert reading.next_cursor == cursor + len(reading.data)
        cursor = reading.next_cursor

    assert "BEGIN" + "".join(chr(0x10000 + number) for number in range(20000)) + "END" in text


@BOTH_DATABASES
def test_the_same_offset_gives_the_same_bytes_from_memory_from_storage_and_after_the_end(
    make_services: MakeServices,
) -> None:
    """M7: reading does not destroy."""
    services = make_services(output_buffer=RING)
    session = Driver.create(services)
    session.say("find me")
    first = session.read(100, 500)
    again = session.read(100, 500)

    receipt = session.command(f"[[flood {3 * RING}]]")
    session.printed(b"%09d" % (3 * RING // 10 - 1), receipt.cursor)
    from_storage = session.read(100, 500)
    session.terminate()
    after_the_end = session.read(100, 500)

    assert first.data
    assert first.data == again.data == from_storage.data == after_the_end.data
    assert first.next_cursor == after_the_end.next_cursor
    assert session.live.console.start > 600


def test_output_older_than_memory_comes_from_storage_without_a_gap(make_services: MakeServices) -> None:
    services = make_services(output_buffer=RING)
    session = Driver.create(services)
    receipt = session.command(f"[[flood {5 * RING}]]")
    session.printed(b"%09d" % (5 * RING // 10 - 1), receipt.cursor)

    everything = session.everything(receipt.cursor)

    assert session.live.console.start > receipt.cursor
    assert b"".join(b"%09d\n" % number for number in range(5 * RING // 10)) in everything


def test_a_lost_answer_can_be_asked_for_again_by_many_readers(services: Services) -> None:
    session = Driver.create(services)
    receipt = session.command("[[flood 200000]]")
    session.printed(b"000019999", receipt.cursor)

    with ThreadPoolExecutor(8) as pool:
        readings = list(pool.map(lambda _: session.read(receipt.cursor, 100_000).data, range(16)))

    assert len(set(readings)) == 1
    assert len(readings[0]) == 100_000


def test_a_reader_waits_for_output_and_gets_it_at_once(services: Services) -> None:
    session = Driver.create(services)
    end = session.read(0).next_cursor
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(session.read, end, 1000, FOR_EVER_S)
        assert until(lambda: session.live.console.bell.heard)
        session.raw(b"x")
        assert waiting.result(PATIENCE_S).data


def test_a_reader_waits_for_a_change_of_state(services: Services) -> None:
    session = Driver.create(services)
    end = session.read(0).next_cursor
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(session.read, end, 1000, FOR_EVER_S)
        assert until(lambda: session.live.console.bell.heard)
        session.terminate()
        assert waiting.result(PATIENCE_S).state is SessionState.TERMINATED


def test_a_waiting_reader_comes_back_when_the_service_closes(services: Services) -> None:
    session = Driver.create(services)
    end = session.read(0).next_cursor
    waiting = threading.Thread(target=session.read, args=(end, 1000, FOR_EVER_S))
    waiting.start()
    assert until(lambda: session.live.console.bell.heard)

    services.stop_waiting()

    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()


def test_a_cursor_from_the_future_is_answered_with_the_present_end(services: Services) -> None:
    session = Driver.create(services)
    end = session.read(0).next_cursor

    reading = session.read(end + 10**12)

    assert reading.data == b""
    assert reading.next_cursor == end
    assert reading.dropped == 0


def test_the_old_style_reading_gives_each_byte_once_and_destroys_none(services: Services) -> None:
    """M7: `clear=true` of the predecessor, without its loss."""
    session = Driver.create(services)
    session.say("one")
    span = Span(1 << 20, 0, text=False)

    first = services.sessions.taken(session.access, span)
    nothing = services.sessions.taken(session.access, span)
    session.say("two")
    second = services.sessions.taken(session.access, span)

    assert b"You said: one" in first.data
    assert nothing.data == b""
    assert b"You said: two" in second.data
    assert b"You said: one" not in second.data
    assert session.everything().startswith(first.data + second.data)


@pytest.mark.parametrize("digits", ["fffe80", "c3", "f09f98", "9b31 6d".replace(" ", ""), "e28000f5"])
def test_bytes_that_are_not_text_arrive_as_they_are_and_harm_nobody(services: Services, digits: str) -> None:
    session = Driver.create(services)

    receipt = session.command(f"[[bytes {digits}]]")

    assert session.shows("You said:")
    assert bytes.fromhex(digits) in session.everything(receipt.cursor)
    text = services.sessions.output(session.access, receipt.cursor, Span(1 << 20, 0, text=True))
    assert b"You said" in text.data
    session.say("still here")


def test_a_title_bomb_and_a_line_without_end_leave_the_session_usable(services: Services) -> None:
    session = Driver.create(services)

    session.command("[[title 2000000]]")
    receipt = session.command("[[solid 1048576]]")
    session.printed(b"END", receipt.cursor)

    session.say("after the bombs")
    snapshot = services.sessions.screen(session.access)
    assert len(snapshot.title) <= 256
    assert len(snapshot.ansi) < 200_000


def test_the_program_gets_answers_to_what_it_asks_its_terminal(services: Services) -> None:
    session = Driver.create(services)

    session.command("[[ask]]")

    assert session.shows("You said: [[ask]]", 20)
    told = re.findall(r"asked=([0-9a-f]+) answer=([0-9a-f]*)", session.screen())
    answers = {bytes.fromhex(asked): bytes.fromhex(answer) for asked, answer in told}
    assert answers[b"[c"] == b"\x1b[?62;22c"
    assert answers[b"[>c"] == b"\x1b[>1;10;0c"
    assert answers[b"[5n"] == b"\x1b[0n"
    assert answers[b"[6n"].endswith(b"R")
    assert answers[b"[?2026$p"] == b"\x1b[?2026;0$y"
    assert answers[b"]11;?\x1b\\"].startswith(b"\x1b]11;rgb:")


def test_the_screen_shows_the_end_after_a_flood(services: Services) -> None:
    session = Driver.create(services)

    session.command("[[flood 3000000]]")

    assert session.shows("You said: [[flood 3000000]]")
    assert not services.sessions.screen(session.access).approximate


@BOTH_DATABASES
def test_the_recording_is_complete_and_in_order(services: Services) -> None:
    session = Driver.create(services)
    session.say("äöü 🎉")
    session.terminate()
    services._writer.store_all()

    header, *events = (json.loads(line) for line in services.sessions.recording(session.access))

    assert header["version"] == 2
    assert (header["width"], header["height"]) == (120, 40)
    assert "".join(text for _, _, text in events).encode() == session.everything()
    times = [at for at, _, _ in events]
    assert times == sorted(times)
    assert {kind for _, kind, _ in events} == {"o"}


def test_only_the_newest_output_is_kept_and_the_rest_counted_as_dropped(make_services: MakeServices) -> None:
    services = make_services(output_buffer=RING, output_retention=RING)
    session = Driver.create(services)
    receipt = session.command(f"[[flood {4 * RING}]]")
    session.printed(b"%09d" % (4 * RING // 10 - 1), receipt.cursor)
    assert session.shows("You said:")
    services._writer.store_all()
    services._keeper.tidy()

    reading = session.read(0)

    assert reading.dropped > 0
    assert reading.next_cursor - len(reading.data) == reading.dropped
    kept = session.everything(reading.dropped)
    assert len(kept) + reading.dropped == session.live.console.end


def test_a_text_reading_gets_over_a_gap_that_cuts_a_character(services: Services) -> None:
    """After a crash the rest of the character never comes: waiting for it would be for ever."""
    session = Driver.create(services)
    services.sessions.terminate(session.access)
    assert until(lambda: not session.live.console.backlog)
    end = services._outputs.end(session.id)
    half = Chunk(end, "é".encode()[:1], (Mark(0, 1),))
    services._outputs.append([(session.id, half)], services.clock.now())
    asleep = replace(session.session, state=SessionState.INTERRUPTED)
    live = services._enliven(asleep, end + 1000)

    reading = services.sessions.output_reader.read(live, end, 100, text=True)

    assert (reading.data, reading.next_cursor) == (half.data, end + 1)
    assert services.sessions.output_reader.read(live, end + 1, 100, text=True).dropped == 999


def test_nobody_waits_for_output_of_an_ended_session(services: Services) -> None:
    session = Driver.create(services)
    services.sessions.terminate(session.access)

    reading = session.read(session.live.console.end, wait_s=FOR_EVER_S)

    assert reading.state is SessionState.TERMINATED


def test_the_old_style_reading_gives_the_last_output_of_an_ended_session(services: Services) -> None:
    """M7: also when the session has left memory meanwhile."""
    session = Driver.create(services)
    services.sessions.taken(session.access, Span(1 << 20, 0, text=False))
    session.say("the last words")
    services.sessions.terminate(session.access)
    assert until(lambda: services._registry.known(session.id) is None)

    reading = services.sessions.taken(session.access, Span(1 << 20, 0, text=False))

    assert b"You said: the last words" in reading.data
    assert not services.sessions.taken(session.access, Span(1 << 20, 0, text=False)).data
