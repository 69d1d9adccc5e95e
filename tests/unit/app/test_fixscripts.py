"""Fix scripts in one piece."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar.app.fixscripts import checksum, fix_scripts, wanted
from sidecar.errors import AppBroken
from tests.unit.app import sources
from tests.unit.app.sources import APP, CLASS_SCRIPT, FIX_SCRIPT, TABLE


def test_the_marks_are_replaced(tmp_path: Path) -> None:
    script = fix_scripts(sources.manifest_of(tmp_path))["01_tables"]

    assert script.startswith(
        "(function () {\n    var converged = 1;\n\n    var more = 2;\n    var WANTED = [\n"
    )
    literal = script.partition("var WANTED = ")[2].partition(";\n})")[0]
    records = json.loads(literal)
    assert [record["name"] for record in records] == [
        "x_app_thing",
        "x_app_thing",
        "x_app_thing.owner",
        "x_app_thing_owner",
    ]
    assert records[0] == {
        "table": "sys_db_object",
        "sys_id": TABLE,
        "name": "x_app_thing",
        "fields": {"sys_scope": APP, "name": "x_app_thing", "label": "Thing"},
        "scripts": {},
    }


def test_a_literal_is_no_more_than_es5(tmp_path: Path) -> None:
    """The line separators are valid in JSON and not in the text of an ES5 script."""
    manifest = sources.document()
    sources.find(manifest, TABLE)["fields"]["label"] = "a\u2028b\u2029c"

    script = fix_scripts(sources.manifest_of(tmp_path, manifest))["01_tables"]

    assert "a\\u2028b\\u2029c" in script


def test_the_marks_do_not_end_a_script_early(tmp_path: Path) -> None:
    """A replacement text with a backslash is text, not a pattern."""
    manifest = sources.document()
    sources.find(manifest, TABLE)["fields"]["label"] = r"a\1b */ []"

    assert json.dumps(r"a\1b */ []") in fix_scripts(sources.manifest_of(tmp_path, manifest))["01_tables"]


def test_everything_is_every_record(tmp_path: Path) -> None:
    manifest = sources.manifest_of(tmp_path)

    assert wanted(manifest, "everything") == list(manifest.records)


def test_records_are_chosen_by_their_table_in_the_order_asked_for(tmp_path: Path) -> None:
    found = wanted(sources.manifest_of(tmp_path), "records sys_properties sys_user_role")

    assert [record.name for record in found] == ["x_app.wait", "x_app.user"]


@pytest.mark.parametrize("selector", ["table other", "records sys_choice", "nonsense"])
def test_a_selector_that_finds_nothing_is_refused(tmp_path: Path, selector: str) -> None:
    with pytest.raises(AppBroken):
        wanted(sources.manifest_of(tmp_path), selector)


def test_a_missing_include_is_refused(tmp_path: Path) -> None:
    files = {"fix-scripts/01_tables.js": FIX_SCRIPT.replace("converge.js", "other.js")}

    with pytest.raises(AppBroken, match=r"other\.js cannot be read"):
        fix_scripts(sources.manifest_of(tmp_path, files=files))


def test_the_checksum_tells_scripts_apart() -> None:
    assert checksum(CLASS_SCRIPT) != checksum(CLASS_SCRIPT.replace("< 6", "< 7"))


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", " \n"])
def test_the_checksum_does_not_mind_line_ends(end: str) -> None:
    assert checksum("a\r\nb" + end) == checksum("a\nb")


def test_the_checksum_has_32_bits_and_a_sign() -> None:
    assert checksum("") == 0
    assert checksum("a") == ord("a")
    assert -(2**31) <= checksum(CLASS_SCRIPT * 100) < 2**31
    assert checksum("\U0001f600") == 0xD83D * 31 + 0xDE00  # two units, as JavaScript counts
