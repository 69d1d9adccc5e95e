"""The built update set, imported into an empty instance, is the app: every file and record, and they work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emulator import installation
from emulator.servicenow import Instance, InstanceError
from sidecar.app.manifest import read
from sidecar.app.record import Record

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = read(ROOT)
RECORDS = MANIFEST.records
SCRIPTED = [record for record in RECORDS if record.files and record.table != "sys_script_fix"]


@pytest.fixture(scope="module")
def unload(app_build: Path) -> ET.Element:
    """Return the update set."""
    return ET.fromstring(installation.update_set(app_build).read_bytes())


class TestTheSet:
    def test_holds_every_record_of_the_manifest(self, unload: ET.Element) -> None:
        names = [row.findtext("name") for row in unload.iter("sys_update_xml")]

        assert names == [f"{record.table}_{record.sys_id}" for record in RECORDS]

    def test_has_valid_ids_only(self, unload: ET.Element) -> None:
        """An instance drops a row whose sys_id is not 32 hex digits."""
        payloads = [
            ET.fromstring(row.findtext("payload", "").encode()) for row in unload.iter("sys_update_xml")
        ]
        ids = [row.findtext("sys_id", "") for row in unload] + [
            payload[0].findtext("sys_id", "") for payload in payloads
        ]

        assert all(re.fullmatch("[0-9a-f]{32}", sys_id) for sys_id in ids)
        assert len(ids) == len(set(ids))

    @pytest.mark.parametrize("record", SCRIPTED, ids=lambda record: f"{record.table}-{record.name}")
    def test_carries_the_script_as_it_is(self, unload: ET.Element, record: Record) -> None:
        name = f"{record.table}_{record.sys_id}"
        (row,) = (row for row in unload.iter("sys_update_xml") if row.findtext("name") == name)
        payload = ET.fromstring(row.findtext("payload", "").encode())[0]

        for column, file in record.files.items():
            assert payload.findtext(column) == MANIFEST.text(file)

    def test_is_the_same_when_built_again(self, app_build: Path, tmp_path: Path) -> None:
        again = installation.build(tmp_path)

        assert contents(again) == contents(app_build)


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class TestTheImport:
    def test_makes_the_app_in_an_empty_instance(self, empty_instance: Instance, app_build: Path) -> None:
        counts = empty_instance.import_update_set(installation.update_set(app_build))

        assert counts["inserted"] == len(RECORDS)
        for record in SCRIPTED:
            row = empty_instance.table(record.table).row(record.sys_id)
            for column, file in record.files.items():
                assert row[column] == MANIFEST.text(file), record.name
        classes = [record.name for record in MANIFEST.of_table("sys_script_include")]
        made = empty_instance.script(
            f"[{', '.join(classes)}].map(function (made) {{ return made.prototype.type; }})",
            scope="x_claude_terminal",
        )
        assert made == classes

    def test_leaves_nothing_for_the_fix_scripts_but_the_values(
        self, empty_instance: Instance, app_build: Path
    ) -> None:
        """The set and the scripts say the same: they come from one manifest."""
        done = installation.install(empty_instance, app_build)

        for name, lines in done.printed.items():
            assert "created 0, " in lines[-1], name
            assert all(re.fullmatch(r"updated sys_properties [\w.]+: value .*", one) for one in lines[:-1])

    def test_needs_elevation_for_its_access_rules(self, empty_instance: Instance, app_build: Path) -> None:
        with pytest.raises(InstanceError):
            empty_instance.import_update_set(installation.update_set(app_build), elevated=False)


class TestTheCommand:
    def test_tells_what_it_wrote(self, tmp_path: Path) -> None:
        done = command("build", "--output", str(tmp_path), "--source", str(ROOT))

        assert done.returncode == 0
        written = done.stdout.splitlines()
        assert written[0] == str(tmp_path / f"claude-terminal-{MANIFEST.version}.xml")
        assert sorted(written) == sorted(str(path) for path in tmp_path.rglob("*") if path.is_file())

    @pytest.mark.parametrize("verb", [["build", "--output", "x"], ["lint"]], ids=["build", "lint"])
    def test_says_what_is_missing_elsewhere(self, tmp_path: Path, verb: list[str]) -> None:
        done = command(*verb, "--source", str(tmp_path))

        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(r"claude-sidecar: .+\n", done.stderr)

    def test_finds_no_fault_in_our_own(self) -> None:
        done = command("lint", "--source", str(ROOT))

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `claude-sidecar app …`."""
    return subprocess.run(
        [sys.executable, "-m", "sidecar.cli", "app", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
