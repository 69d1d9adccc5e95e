"""Libraries from npm, as the platform can serve them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from sidecar.app.library import Libraries
from sidecar.errors import AppBroken

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / "node_modules" / ".bin"
TERMINAL, FIT = "@xterm/xterm/lib/xterm.js", "@xterm/addon-fit/lib/addon-fit.js"
SCRIPTS = [TERMINAL, FIT]
#: What the script finds in a page of the portal: no loader of modules. The names it looks for at once are empty.
PAGE = """
var vm = require('vm');
var text = require('fs').readFileSync(0, 'utf8');
var page = {navigator: {userAgent: '', platform: '', language: ''}, document: {}, queueMicrotask: queueMicrotask};
page.window = page;
vm.runInNewContext(text, page);
console.log(JSON.stringify([typeof page.Terminal, typeof (page.FitAddon || {}).FitAddon]));
"""


@pytest.fixture(scope="module")
def libraries() -> Libraries:
    return Libraries(ROOT)


def package(root: Path, script: str, licence: str = "Do as you like.") -> Libraries:
    """Return libraries with one package of our own, and the checkout's esbuild."""
    folder = root / "node_modules" / "thing"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": "1.2.3"}))
    (folder / "LICENSE").write_text(licence)
    (folder / "thing.js").write_text(script)
    (root / "node_modules" / ".bin").symlink_to(TOOLS)
    return Libraries(root)


def body(text: str) -> str:
    """Return a built text without its notice."""
    return text.partition("*/\n")[2]


@pytest.mark.parametrize("name", SCRIPTS)
class TestTheTerminal:
    def test_holds_nothing_that_the_platform_would_replace(self, libraries: Libraries, name: str) -> None:
        assert "${" not in libraries.text(name)

    def test_is_printable_ascii_and_goes_through_xml(self, libraries: Libraries, name: str) -> None:
        assert re.fullmatch(r"[\t\n\x20-\x7e]+", body(libraries.text(name)))

    def test_needs_no_more_than_es2015(self, libraries: Libraries, name: str) -> None:
        done = subprocess.run(
            [str(TOOLS / "acorn"), "--ecma2015", "--silent"],
            input=libraries.text(name),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        assert (done.returncode, done.stderr) == (0, "")

    def test_is_the_same_when_built_again(self, libraries: Libraries, name: str) -> None:
        assert Libraries(ROOT).text(name) == libraries.text(name)

    def test_begins_with_its_licence(self, libraries: Libraries, name: str) -> None:
        notice = libraries.text(name).partition("*/\n")[0]
        licence = (ROOT / "node_modules" / Path(name).parents[1] / "LICENSE").read_text()

        assert notice.startswith("/*!\n * @xterm/")
        for line in licence.strip().splitlines():
            assert line.strip() in notice


@pytest.mark.parametrize(
    ("name", "kinds"), [(TERMINAL, ["function", "undefined"]), (FIT, ["undefined", "function"])], ids=SCRIPTS
)
def test_a_page_without_modules_gets_the_class_as_a_global(
    libraries: Libraries, name: str, kinds: list[str]
) -> None:
    done = subprocess.run(
        ["node", "-e", PAGE],
        input=libraries.text(name),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (json.loads(done.stdout or "null"), done.stderr) == (kinds, "")


def test_a_style_comes_as_it_is(libraries: Libraries) -> None:
    name = "@xterm/xterm/css/xterm.css"

    assert libraries.text(name).endswith((ROOT / "node_modules" / name).read_text())


def test_template_literals_become_additions(tmp_path: Path) -> None:
    text = package(tmp_path, "window.greet = function (name) { return `<${name}>` + String.raw`\\x`; };")

    assert "`" not in body(text.text("thing/thing.js"))


def test_characters_are_escaped_where_they_stand(tmp_path: Path) -> None:
    text = package(tmp_path, 'window.all = ["\x1b[0m", "\x7f", "é", /[\x01-\x02]/];')

    assert body(text.text("thing/thing.js")).strip() == (
        r'window.all=["\x1B[0m","\x7F","\xE9",/[\x01-\x02]/];'
    )


def test_a_licence_cannot_end_its_comment(tmp_path: Path) -> None:
    text = package(tmp_path, "window.a = 1;", "One */ window.b = 2; /* more").text("thing/thing.js")

    assert text.count("*/") == 1
    assert body(text).strip() == "window.a=1;"


class TestFailures:
    def test_what_cannot_be_transpiled_away_is_refused(self, tmp_path: Path) -> None:
        libraries = package(tmp_path, "window.price = '${' + 5 + '}';")

        with pytest.raises(AppBroken, match=r"thing/thing\.js holds \$\{"):
            libraries.text("thing/thing.js")

    def test_a_script_that_is_none_is_refused_with_its_place(self, tmp_path: Path) -> None:
        with pytest.raises(AppBroken, match=r"(?s)esbuild refuses thing/thing\.js: .*2:\d"):
            package(tmp_path, "\nvar var;").text("thing/thing.js")

    def test_a_missing_package_is_told_with_what_installs_it(self, tmp_path: Path) -> None:
        with pytest.raises(AppBroken, match=r"package\.json cannot be read; `make setup` installs it"):
            Libraries(tmp_path).text("@xterm/xterm/lib/xterm.js")

    def test_a_missing_esbuild_is_told_with_what_installs_it(self, tmp_path: Path) -> None:
        libraries = package(tmp_path, "window.a = 1;")
        (tmp_path / "node_modules" / ".bin").unlink()

        with pytest.raises(AppBroken, match="esbuild does not run; `make setup` installs it"):
            libraries.text("thing/thing.js")
