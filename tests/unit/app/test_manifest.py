"""Reading the manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sidecar.app.manifest import read
from sidecar.errors import AppBroken
from tests.unit.app import sources


def test_records_are_read_with_their_files(tmp_path: Path) -> None:
    manifest = sources.manifest_of(tmp_path)

    (found,) = manifest.of_table("sys_script_include")

    assert (str(found), found.sys_id) == ("sys_script_include Thing", sources.CLASS)
    assert manifest.text(found.files["script"]) == sources.CLASS_SCRIPT


def test_without_a_manifest_it_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(AppBroken, match=r"manifest\.json cannot be read: .*--source names the checkout"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "has another form"),
        ("[]", "has another form"),
        ('{"name": 5}', "5 is not a text"),
        ('{"name": "a"}', "lacks 'scope'"),
    ],
    ids=["no json", "a list", "a number", "a field missing"],
)
def test_another_form_is_told(tmp_path: Path, text: str, told: str) -> None:
    sources.write(tmp_path)
    (tmp_path / "servicenow-app/manifest.json").write_text(text)

    with pytest.raises(AppBroken, match=told):
        read(tmp_path)


@pytest.mark.parametrize("value", [True, 5, None, ["a"]], ids=str)
def test_fields_are_texts_as_the_platform_stores_them(tmp_path: Path, value: Any) -> None:
    document = sources.document()
    sources.find(document, sources.CLASS)["fields"]["active"] = value

    with pytest.raises(AppBroken, match="is not a text"):
        sources.manifest_of(tmp_path, document)


def test_a_date_of_another_form_is_told(tmp_path: Path) -> None:
    with pytest.raises(AppBroken, match="does not match format"):
        sources.manifest_of(tmp_path, sources.document() | {"released": "2026-01-15"})


def test_a_script_that_is_no_text_is_told(tmp_path: Path) -> None:
    manifest = sources.manifest_of(tmp_path)
    (tmp_path / "servicenow-app/rest/thing-get.js").write_bytes(b"\xff")

    with pytest.raises(AppBroken, match="cannot be read"):
        manifest.text("rest/thing-get.js")


def test_our_own_is_one_record_per_line() -> None:
    """So that a change of one record is a change of one line."""
    path = Path(__file__).parents[3] / "servicenow-app" / "manifest.json"
    _, *lines, _ = path.read_text(encoding="utf-8").splitlines()

    assert [json.loads(line.removesuffix(","))["table"] for line in lines]
