"""The documents say what the code does, and point to what exists."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from sidecar import config
from sidecar.claude import keystrokes
from sidecar.config import PollerSettings, Settings
from sidecar.model.session import SessionState
from sidecar.web import problems

ROOT = Path(__file__).resolve().parent.parent

SETTINGS = [*fields(Settings), *(item for item in fields(PollerSettings) if "shared" not in item.metadata)]

#: Folders that are not part of the sources.
_OTHERS = frozenset(
    {
        ".git",
        ".venv",
        "node_modules",
        ".demo",
        "build",
        "dist",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
    }
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files of the sources: as git knows them, else (an unpacked archive, another's checkout) by folder."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [
            path
            for path in ROOT.rglob("*")
            if not _OTHERS & set(path.parts) and not path.match("*.egg-info/*")
        ]
    return tuple(path for path in found if path.is_file())


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def anchors(path: Path) -> set[str]:
    """Return the names of a document's headings, as its viewers make them."""
    titles = _HEADING.findall(path.read_text())
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_configuration_page_holds_the_table_of_settings() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    for table in (config.table(), config.poller.table()):
        assert f"\n\n{table}\n\n" in page, (
            "put the output of `claude-sidecar settings` into docs/configuration.md"
        )


def test_the_configuration_page_explains_every_part_of_the_database() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert all(f"\n| `{name}` | " in page for name in config.DATABASE_PARTS)


def test_the_example_file_holds_every_setting_and_no_other() -> None:
    named = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == {item.metadata["name"] for item in SETTINGS} | set(config.DATABASE_PARTS)


@pytest.mark.parametrize("item", SETTINGS, ids=lambda item: str(item.metadata["name"]))
def test_the_example_file_shows_the_defaults(item: object) -> None:
    name, default = item.metadata["name"], item.metadata["default"]  # type: ignore[attr-defined]  # a dataclass field
    if default is not None:
        assert f"\n#{name}={default}\n" in (ROOT / ".env.example").read_text()


def test_the_api_page_knows_every_state_key_and_status() -> None:
    page = (ROOT / "docs" / "http-api.md").read_text()
    assert all(str(state) in page for state in SessionState)
    names = [name for name in keystrokes.KEYS if not re.fullmatch(r"C-[b-y]|F[23]", name)]
    assert all(f"`{name}`" in page for name in names)
    assert all(f"\n| {status} | " in page for status, _ in problems.STATUSES.values())


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in _LINK.findall(path.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{link} does not exist"
        assert target.is_relative_to(ROOT), f"{link} leads out of the sources"
        assert not anchor or anchor in anchors(target), f"{link} has no such heading"


#: Folders of people; `claude` is the home inside a session's walls.
_PRIVATE = re.compile(r"/(?:root|home/(?!claude\b)\w+|Users/\w+)/[\w.]")
_HOST = re.compile(r"\bhttps?://(?:[^/@\s]*@)?([a-z0-9.-]+\.[a-z]{2,})\b")
#: Hosts the sources may point to. Packages come from wherever the machine is set up to take them from, so no
#: registry stands here.
_OUTSIDE = {"docs.asciinema.org", "keepachangelog.com", "semver.org", "www.rfc-editor.org"}
#: What XML calls its formats and its parsers' switches; nobody goes there.
_OUTSIDE |= {"apache.org", "schemas.xmlsoap.org"}


@pytest.mark.parametrize("path", tracked(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_names_a_folder_of_one_machine(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    assert not re.search(rf"{re.escape(str(ROOT))}(?![\w-])", text), "it names the folder of this checkout"
    assert not (found := _PRIVATE.search(text)), found


#: npm writes down where the authors of packages take donations.
_FUNDING = re.compile(r'"funding": (?:"[^"]*"|\{[^}]*\}|\[[^\]]*\])')


@pytest.mark.parametrize("path", tracked(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_names_a_host_that_is_not_listed_here(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    named = set(_HOST.findall(_FUNDING.sub("", text) if path.name == "package-lock.json" else text))
    unknown = {host for host in named - _OUTSIDE if not host.endswith(".example")}
    assert not unknown, "list it in tests/test_docs.py, unless it is a registry of packages"
