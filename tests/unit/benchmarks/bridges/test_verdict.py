"""What is made of a measurement of the bridges: figures with targets, faults, pictures, the README's table."""

from __future__ import annotations

from benchmarks.bridges import comparison
from benchmarks.bridges.cell import Cell, Plan
from benchmarks.bridges.found import Found
from benchmarks.bridges.load import Pauses, Taken
from benchmarks.bridges.rest import Cost, Rows
from benchmarks.bridges.verdict import outcome
from benchmarks.bridges.way import AMB, DIRECT, POLLER
from benchmarks.figures import ENOUGH, Figure, Outcome
from benchmarks.table import document


def cell(sessions: int, **ms: float) -> Cell:
    """Make a cell whose ways took so long for every command: the first quick, the others a little slower."""
    names = {"mid": AMB.name, "poller": POLLER.name, "direct": DIRECT.name}
    plan = Plan(sessions, 50, ENOUGH, 0, Pauses(0, 0))
    taken = {
        names[way]: Taken(command=[value] * ENOUGH, settled=[value + 500] * ENOUGH)
        for way, value in ms.items()
    }
    return Cell(plan, taken, dict.fromkeys(taken, (400, 100.0)))


def found(*cells: Cell) -> Found:
    whole = Found(3.0, list(cells))
    whole.rows[POLLER.name] = Rows([4.0, 4.0], {1: 6.0, 20: 6.0})
    whole.costs[POLLER.name] = Cost(12.0, 0.0, 200.0, 60.0, 0.4, 51.0)
    return whole


def figure(of: Outcome, name: str, compared: str = "") -> Figure:
    return next(one for one in of.figures if one.name.startswith(name) and compared in one.compared)


def test_one_session_is_held_to_the_targets() -> None:
    made = outcome(found(cell(1, mid=450, poller=1200, direct=40)))

    late = figure(made, "command → first output, poller, adaptive, 1 session", "p50")
    assert (late.value, late.met) == (1200, False)
    assert late.beside == AMB.name
    assert figure(made, "command → first output, MID, AMB, 1 session", "p50").met
    assert [problem for problem in made.problems if "1200" in problem]


def test_many_sessions_are_held_to_a_multiple_of_one() -> None:
    one = cell(1, mid=400, poller=600, direct=40)

    good = outcome(found(one, cell(50, mid=790, poller=1100)))
    bad = outcome(found(one, cell(50, mid=790, poller=1300)))

    name = "command → first output, poller, adaptive, 50 sessions beside 1"
    assert figure(good, name).met
    assert not figure(bad, name).met


def test_what_goes_wrong_in_a_cell_or_under_a_kill_is_a_fault() -> None:
    whole = found(cell(1, mid=450, poller=600, direct=40))
    whole.cells[0].taken[AMB.name].faults.append("one: done-00002 came after number 0")
    whole.crashed[POLLER.name] = Taken(command=[900.0], faults=["two: mark-00003 never showed"])
    whole.refused = 2

    made = outcome(whole)

    assert made.faults == [
        "MID, AMB, 1 sessions, 50 ms: one: done-00002 came after number 0",
        "poller, adaptive, killed: two: mark-00003 never showed",
        "2 calls were refused by the sidecar or failed on their way",
    ]
    assert not figure(made, "command → first output, poller, adaptive, killed").met


def test_an_idle_poller_is_held_to_its_targets() -> None:
    whole = found(cell(1, mid=450, poller=600, direct=40))
    assert all(one.met for one in outcome(whole).figures if one.name.startswith("idle"))

    whole.costs[POLLER.name] = Cost(16.0, 1.0, 200.0, 60.0, 1.4, 61.0)

    missed = [one.name for one in outcome(whole).figures if one.name.startswith("idle") and not one.met]
    assert missed == [
        "idle, requests in a minute, poller, adaptive",
        "idle, rows in a minute, poller, adaptive",
        "idle, CPU, poller, adaptive",
        "idle, memory, poller, adaptive",
    ]


def test_more_watched_terminals_must_not_mean_more_rows() -> None:
    whole = found(cell(1, mid=450, poller=600, direct=40))
    name = "rows of the pump in a minute, poller, adaptive, 20 silent terminals beside 1"
    assert figure(outcome(whole), name).met

    whole.rows[POLLER.name].pump[20] = 20.0

    assert not figure(outcome(whole), name).met


def test_latency_is_drawn_as_distributions_and_against_sessions() -> None:
    whole = found(cell(1, mid=450, poller=600, direct=40), cell(20, mid=500, poller=700, direct=50))

    drawn = {picture.name: picture for picture in outcome(whole).pictures}

    assert set(drawn["bridges-first-output-1"].distributions) == {AMB.name, POLLER.name, DIRECT.name}
    assert drawn["bridges-sessions"].curves[f"{POLLER.name}, p50"] == [(1, 600), (20, 700)]
    assert drawn["bridges-rows"].curves[f"{POLLER.name}: busy"] == [(1.0, 240.0), (20.0, 240.0)]


def test_the_comparison_is_made_from_the_stored_outcome() -> None:
    made = outcome(found(cell(1, mid=450, poller=600, direct=40)))

    text = comparison(document(made))

    assert "| command → first output, p50 / p99 | 450 / 450 ms | 600 / 600 ms |" in text
    assert "| requests to the instance in a minute, nobody there | not measured | 12.0 |" in text
    assert "| 3 to 7 s | 5 to 10 s |" in text
    assert "emulator" in text


def test_too_few_samples_are_not_compared() -> None:
    whole = found(cell(1, mid=450, poller=600, direct=40))
    del whole.cells[0].taken[AMB.name].command[1:]

    text = comparison(document(outcome(whole)))

    assert "| command → first output, p50 / p99 | not measured | 600 / 600 ms |" in text
