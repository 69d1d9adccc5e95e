"""What is noted of sessions is counted, and still noted."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from sidecar.model.event import unnoted
from sidecar.model.figures import BOUNDS_S
from sidecar.sessions.tally import CAUSES, Tally


def test_every_event_is_handed_on_as_it_is() -> None:
    noted: list[tuple[Any, ...]] = []

    def note(action: str, **rest: Any) -> None:
        noted.append((action, rest))

    session = uuid4()
    Tally(note).note("session.create", user="ann", session=session, model="m")

    assert noted == [("session.create", {"user": "ann", "session": session, "model": "m"})]


def test_creates_ends_and_changes_are_counted() -> None:
    tally = Tally(unnoted)
    tally.note("session.create")
    tally.note("session.command", length=3)
    tally.note("session.state", before="starting", after="running")
    tally.note("session.state", before="running", after="terminated", reason="It was idle for too long.")
    tally.note("session.state", before="running", after="terminated", reason="For a reason nobody foresaw.")
    tally.note("session.state", before="starting", after="failed", reason="Its user ended it.")

    life = tally.life()
    assert life.created == 1
    assert {cause: count for cause, count in life.ended.items() if count} == {
        "idle": 1,
        "other": 1,
        "failed": 1,
    }
    assert {state: count for state, count in life.changes.items() if count} == {
        "running": 1,
        "terminated": 2,
        "failed": 1,
    }


def test_starts_and_wakes_are_counted_apart_in_classes() -> None:
    tally = Tally(unnoted)
    for seconds in (0.1, BOUNDS_S[0], 4.0, 1000.0):
        tally.started(seconds, woken=False)
    tally.started(1.5, woken=True)

    life = tally.life()
    assert life.starts.counts[0] == 2
    assert life.starts.counts[-1] == 1
    assert sum(life.starts.counts) == 4
    assert life.starts.total_s == 0.1 + BOUNDS_S[0] + 1004.0
    assert sum(life.wakes.counts) == 1


def test_every_reason_that_is_counted_is_told_somewhere() -> None:
    """A sentence that was changed in one place only would be counted as another."""
    folder = Path(__file__).resolve().parents[3] / "sidecar" / "sessions"
    told = "".join(path.read_text() for path in folder.glob("*.py") if path.name != "tally.py")

    assert [reason for reason in CAUSES if f'"{reason}"' not in told] == []
