"""The report's table, and where it goes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.figures import Figure, Outcome, Picture, Summary, Target, summary
from benchmarks.table import between, document, gallery, markdown

ECHO = Figure(
    "echo, p50",
    "ms",
    Summary(500, 0.4, 2.5, 6),
    Summary(500, 3, 6, 120.4),
    "more at p50",
    2.6,
    "ms",
    Target(5),
)


def parts(*outcomes: Outcome) -> dict[str, dict[str, object]]:
    return {outcome.part: document(outcome) for outcome in outcomes}


def test_a_row_shows_both_sides_the_comparison_and_the_verdict() -> None:
    text = markdown(parts(Outcome("echo", [ECHO], [], {"cores": 2})))

    assert (
        "| echo | echo, p50 | n = 500, 0.40 / 2.50 / 6.00 ms | n = 500, 3.00 / 6.00 / 120 ms "
        "| more at p50: **2.60 ms** | ≤ 5 ms | yes |" in text
    )
    assert "Nothing was lost" in text
    assert "- echo: cores 2" in text


def test_a_missed_target_is_shown_as_such() -> None:
    missed = Figure("start", "ms", None, Summary(1, 700, 700, 700), "× bare", 1.5, "", Target(1.25))

    assert "| – | 700 ms | × bare: **1.50** | ≤ 1.25 | **no** |" in markdown(
        parts(Outcome("start", [missed]))
    )


def test_a_figure_without_target_has_no_verdict() -> None:
    figure = Figure("peak", "MB", None, Summary(1, 99, 99, 99), "peak PSS", 99, "MB")

    assert "| peak PSS: **99.0 MB** | – | – |" in markdown(parts(Outcome("flood", [figure])))


def test_what_was_lost_is_told_below_the_table() -> None:
    text = markdown(parts(Outcome("flood", [ECHO], ["3 bytes were dropped"])))

    assert "- **flood**: 3 bytes were dropped" in text
    assert "Nothing was lost" not in text


def test_the_table_is_the_same_from_the_file() -> None:
    found = parts(Outcome("echo", [ECHO]))

    assert markdown(json.loads(json.dumps(found))) == markdown(found)


def test_few_samples_are_shown_whole_and_called_indicative() -> None:
    few = Figure("start", "ms", summary([100.0]), summary([3.0, 120.0, 20.0]), "× bare", 0.2, "")

    assert "| 100 ms | n = 3: 3.00 to 120, middle 20.0 ms | × bare: 0.20 (indicative) |" in markdown(
        parts(Outcome("density", [few]))
    )


def test_what_stands_beside_is_named_where_it_is_not_the_bare_thing() -> None:
    figure = replace(ECHO, beside="terminado")

    assert "| terminado: n = 500, 0.40 / 2.50 / 6.00 ms |" in markdown(parts(Outcome("terminal", [figure])))


def test_pictures_are_linked_with_their_titles() -> None:
    picture = Picture("echo", "Key to echo", "ms", "%", distributions={"sidecar": [1.0]})

    assert gallery(parts(Outcome("terminal", [], pictures=[picture])), "results/x/") == (
        "\n![Key to echo](results/x/echo.png)\n"
    )


def test_the_last_result_replaces_what_stands_between_the_marks() -> None:
    assert between("a <b> old <e> z", "<b>", "<e>", "new\n") == "a <b>\nnew\n<e> z"


@pytest.mark.parametrize("text", ["", "<b>", "<e> <b>"])
def test_a_document_without_the_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="marks"):
        between(text, "<b>", "<e>", "new")
