"""Where a run is written, and what of it is shown in the READMEs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.drawing import draw
from benchmarks.figures import Figure, Outcome, Picture, summary
from benchmarks.table import document

ORDER = ["bridges", "terminal", "api"]
MARKED = "above <!-- {0} --> old <!-- end of {0} --> below"


@pytest.fixture(scope="module", autouse=True)
def fonts(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let matplotlib open its fonts: it keeps them for the whole process, which is no leak of one test."""
    picture = document(Outcome("api", [], pictures=[Picture("p", "t", "x", "y", curves={"a": [(1, 1)]})]))
    draw(picture["pictures"][0], tmp_path_factory.mktemp("fonts") / "p.png")


def outcome(part: str, value: float = 1.0) -> Outcome:
    figure = Figure("echo", "ms", summary([1.0, 2.0]), summary([value, 3.0]), "more", value, "ms")
    picture = Picture(f"{part}-echo", "Echo", "ms", "%", distributions={"sidecar": [value, 3.0]})
    return Outcome(part, [figure], pictures=[picture])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a day's folder with one part in it."""
    found = tmp_path / "benchmarks" / "results" / "2030-01-01"
    report.add(found, "full", [outcome("api")], ORDER)
    return found


class TestAFolder:
    def test_holds_raw_samples_report_and_pictures(self, folder: Path) -> None:
        stored = json.loads((folder / "samples.json").read_text())

        assert stored["parts"]["api"]["figures"][0]["sidecar"]["samples"] == [1.0, 3.0]
        assert "| api | echo |" in (folder / "report.md").read_text()
        assert (folder / "api-echo.png").read_bytes().startswith(b"\x89PNG")

    def test_keeps_the_other_parts_when_one_is_measured_again(self, folder: Path) -> None:
        result = report.add(folder, "full", [outcome("bridges"), outcome("api", 2.0)], ORDER)

        assert list(result.parts) == ["bridges", "api"]
        assert report.read(folder).parts["api"]["figures"][0]["value"] == 2.0

    def test_has_each_list_of_samples_on_one_line(self, folder: Path) -> None:
        assert '"samples": [ 1.0, 3.0 ]' in (folder / "samples.json").read_text()

    def test_of_one_form_takes_no_other(self, folder: Path) -> None:
        with pytest.raises(report.Unreadable, match="full result"):
            report.add(folder, "short", [outcome("api")], ORDER)

    def test_of_a_day_is_shared_by_one_form_only(self, folder: Path) -> None:
        results, day = folder.parent, folder.name

        assert report.folder_for(day, "full", results) == folder
        assert report.folder_for(day, "short", results) == results / f"{day}-short"
        assert report.folder_for("2030-01-02", "short", results) == results / "2030-01-02"

    @pytest.mark.parametrize("text", ["", "[]", "{}", "no json"])
    def test_without_a_result_is_refused(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "samples.json").write_text(text)

        with pytest.raises(report.Unreadable, match="no result"):
            report.read(tmp_path)


class TestAPicture:
    @pytest.mark.parametrize("log_x", [False, True], ids=["linear", "logarithmic"])
    def test_of_many_curves_is_drawn(self, tmp_path: Path, log_x: bool) -> None:
        curves = {f"way {number}": [(1.0, 2.0), (20.0, 4.0), (100.0, 9.0)] for number in range(8)}
        part = document(Outcome("api", [], pictures=[Picture("p", "t", "x", "y", curves, log_x=log_x)]))

        draw(part["pictures"][0], tmp_path / "p.png")

        assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")

    def test_of_nothing_is_refused(self, tmp_path: Path) -> None:
        part = document(Outcome("api", [], pictures=[Picture("p", "t", "x", "y")]))

        with pytest.raises(ValueError, match="empty"):
            draw(part["pictures"][0], tmp_path / "p.png")


class TestTheReadmes:
    @pytest.fixture
    def root(self, folder: Path) -> Path:
        """Give the folder above the suite's, with both READMEs."""
        root = folder.parents[2]
        (root / "README.md").write_text(MARKED.format("comparison"))
        (root / "benchmarks" / "README.md").write_text(MARKED.format("last result"))
        return root

    def test_show_a_full_result_with_its_pictures(self, folder: Path, root: Path) -> None:
        report.publish(folder, report.read(folder), lambda _: "never", root)

        text = (root / "benchmarks" / "README.md").read_text()
        assert "[samples.json](results/2030-01-01/samples.json)" in text
        assert "![Echo](results/2030-01-01/api-echo.png)" in text
        assert "old" in (root / "README.md").read_text()

    def test_show_how_the_bridges_compare(self, folder: Path, root: Path) -> None:
        result = report.add(folder, "full", [outcome("bridges")], ORDER)

        report.publish(folder, result, lambda part: f"{len(part['figures'])} figure\n", root)

        assert (root / "README.md").read_text() == (
            "above <!-- comparison -->\n1 figure\n<!-- end of comparison --> below"
        )
