"""The update set: its form, its ids, and that it is the same every time."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sidecar.app.build import build
from sidecar.app.identity import derived
from sidecar.app.manifest import Manifest, read
from sidecar.errors import AppBroken
from tests.unit.app import sources
from tests.unit.app.sources import APP, CLASS, CLASS_SCRIPT, FIX, PROPERTY, RESOURCE

CHILDREN = [
    "action",
    "application",
    "category",
    "comments",
    "name",
    "payload",
    "payload_hash",
    "remote_update_set",
    "replace_on_upgrade",
    "sys_created_by",
    "sys_created_on",
    "sys_id",
    "sys_mod_count",
    "sys_recorded_at",
    "sys_updated_by",
    "sys_updated_on",
    "table",
    "target_name",
    "type",
    "update_domain",
    "update_guid",
    "update_guid_history",
    "update_set",
    "view",
]


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Return the manifest of a small app."""
    return sources.manifest_of(tmp_path / "source")


@pytest.fixture
def unload(manifest: Manifest, tmp_path: Path) -> ET.Element:
    """Return the update set of the small app."""
    return parsed(build(manifest, tmp_path / "out")[0])


def parsed(file: Path) -> ET.Element:
    """Read an update set."""
    return ET.fromstring(file.read_bytes())


def payload(unload: ET.Element, sys_id: str) -> ET.Element:
    """Return the record in the row about it."""
    for row in unload.iter("sys_update_xml"):
        if row.findtext("name", "").endswith(sys_id):
            return ET.fromstring(row.findtext("payload", "").encode())[0]
    raise AssertionError(f"no row about {sys_id}")


def test_each_record_has_a_row_with_all_children(unload: ET.Element) -> None:
    rows = unload.findall("sys_update_xml")

    assert len(rows) == len(sources.document()["records"])
    assert all(sorted(child.tag for child in row) == CHILDREN for row in rows)
    assert [row.tag for row in unload] == ["sys_remote_update_set"] + ["sys_update_xml"] * len(rows)


def test_the_set_names_the_app(unload: ET.Element) -> None:
    head = unload[0]

    assert head.findtext("application") == APP
    assert head.findtext("application_scope") == "x_app"
    assert (head.findtext("name"), head.findtext("state")) == ("An App 1.2.3", "loaded")
    assert {row.findtext("remote_update_set") for row in unload.iter("sys_update_xml")} == {
        head.findtext("sys_id")
    }


def test_every_id_has_32_hex_digits_and_is_the_only_one(unload: ET.Element) -> None:
    ids = [row.findtext("sys_id", "") for row in unload]
    guids = [row.findtext("update_guid", "") for row in unload.iter("sys_update_xml")]

    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids + guids)
    assert len(set(ids + guids)) == len(ids + guids)


def test_times_are_the_versions(unload: ET.Element) -> None:
    assert unload.attrib == {"unload_date": "2026-01-15 09:30:00"}
    recorded = [row.findtext("sys_recorded_at", "") for row in unload.iter("sys_update_xml")]
    assert all(re.fullmatch(r"[0-9a-f]{11}0000001", moment) for moment in recorded)
    assert recorded == sorted(set(recorded))
    assert datetime.fromtimestamp(int(recorded[0][:-7], 16) / 1000).astimezone().timestamp() == 1768469400


def test_a_script_arrives_as_it_is(unload: ET.Element) -> None:
    """It holds `]]>`, which ends a CDATA section, in a payload that is one itself."""
    assert payload(unload, CLASS).findtext("script") == CLASS_SCRIPT


def test_a_record_holds_its_fields_and_ids(unload: ET.Element) -> None:
    found = payload(unload, RESOURCE)

    assert (found.tag, found.attrib) == ("sys_ws_operation", {"action": "INSERT_OR_UPDATE"})
    assert found.findtext("relative_path") == "/things/{id}"
    assert found.findtext("sys_id") == RESOURCE
    assert found.findtext("sys_scope") == APP
    assert found.findtext("operation_script", "").startswith("(function process")


def test_a_property_comes_without_a_value(unload: ET.Element) -> None:
    """Else each update would take back what the administrator has set."""
    assert payload(unload, PROPERTY).find("value") is None


def test_a_fix_script_comes_in_one_piece(unload: ET.Element, tmp_path: Path) -> None:
    script = payload(unload, FIX).findtext("script")

    assert script == (tmp_path / "out" / "fix-scripts" / "01_tables.js").read_text()
    assert "/* wanted" not in str(script)


@pytest.mark.parametrize("text", ["a & b < c > d", "a\nb", "]]>", " blank ", "\"'", "ä → 😀", ""])
def test_every_text_arrives_as_it_is(tmp_path: Path, text: str) -> None:
    document = sources.document()
    sources.find(document, CLASS)["fields"]["description"] = text
    manifest = sources.manifest_of(tmp_path / "source", document)

    found = payload(parsed(build(manifest, tmp_path / "out")[0]), CLASS)

    assert found.findtext("description") == text


def test_what_xml_cannot_carry_is_refused(tmp_path: Path) -> None:
    document = sources.document()
    sources.find(document, CLASS)["fields"]["description"] = "\x1b[0m"

    with pytest.raises(AppBroken, match="sys_script_include Thing: description holds a control character"):
        build(sources.manifest_of(tmp_path / "source", document), tmp_path / "out")


class TestAgain:
    def test_the_same_sources_give_the_same_bytes(self, manifest: Manifest, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(tmp_path / "source", elsewhere)

        first = build(manifest, tmp_path / "one")
        second = build(read(elsewhere), tmp_path / "two")

        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]

    def test_what_an_earlier_version_left_goes(self, manifest: Manifest, tmp_path: Path) -> None:
        out = tmp_path / "out"
        (out / "fix-scripts").mkdir(parents=True)
        for stale in ("claude-terminal-0.9.0.xml", "fix-scripts/09_old.js", "keep.txt"):
            (out / stale).touch()

        built = build(manifest, out)

        there = {path for path in out.rglob("*") if path.is_file()}
        assert there == {*built, out / "keep.txt"}

    def test_a_changed_script_has_another_guid(self, manifest: Manifest, tmp_path: Path) -> None:
        before = guids(build(manifest, tmp_path / "one")[0])
        (tmp_path / "source/servicenow-app/script-includes/Thing.js").write_text("changed")
        after = guids(build(manifest, tmp_path / "two")[0])

        assert len(before ^ after) == 2

    def test_derived_ids_do_not_meet(self) -> None:
        assert derived("a", "bc") != derived("ab", "c")


def guids(file: Path) -> set[str]:
    """Return the guids of all rows."""
    return {row.findtext("update_guid", "") for row in parsed(file).iter("sys_update_xml")}


def test_a_folder_that_cannot_be_written_is_told(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(AppBroken, match="cannot be written"):
        build(manifest, tmp_path / "file")
