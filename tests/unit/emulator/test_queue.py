"""What is shown of the ECC queue's rows."""

from __future__ import annotations

from emulator.queue import Entry

PAYLOAD = (
    '<parameters><parameter name="op" value="command"/><parameter name="body" value="c2VjcmV0"/></parameters>'
)
ROW = {"queue": "output", "state": "processed", "payload": PAYLOAD, "sequence": "17919fea7ed0000001"}


def test_a_row_is_told_by_operation_state_size_and_time() -> None:
    entry = Entry.of(ROW)

    assert (entry.operation, entry.state, entry.size) == ("command", "processed", len(PAYLOAD))
    assert entry.at_ms == 0x17919FEA7ED


def test_a_line_tells_the_time_since_the_beginning_and_nothing_of_the_content() -> None:
    entry = Entry.of(ROW)

    line = entry.line(entry.at_ms - 1500)

    assert line.split() == ["1.50", "s", "output", "command", "processed", str(len(PAYLOAD)), "bytes"]


def test_a_payload_in_an_attachment_and_a_foreign_sequence_are_no_faults() -> None:
    entry = Entry.of({**ROW, "payload": "<see_attachment/>", "sequence": ""})
    garbage = Entry.of({**ROW, "payload": "no XML"})

    assert (entry.operation, entry.at_ms) == ("?", 0)
    assert garbage.operation == "?"
