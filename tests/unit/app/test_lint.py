"""ESLint with the project's own rules: each house rule finds what it is there for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from sidecar.app.lint import eslint, faults
from sidecar.errors import AppBroken
from tests.unit.app import sources

ROOT = Path(__file__).resolve().parents[3]
INCLUDES, RULES = "servicenow-app/script-includes", "servicenow-app/business-rules"
#: Of the vendor's own instances; apart from `https://`, so that this file names no host.
DOMAIN = "service-now.com"
MID, FIX = "servicenow-app/mid-script-includes", "fix-scripts"

UI, WIDGET = "servicenow-app/ui-scripts", "servicenow-app/widgets"

#: folder, line, and the rule that finds it
BROKEN = {
    "gs.log": (INCLUDES, "gs.log('x');", "no-restricted-syntax"),
    "waiting": (INCLUDES, "gs.sleep(1);", "no-restricted-syntax"),
    "eval": (INCLUDES, "eval('1');", "no-eval"),
    "a function of a text": (INCLUDES, "gs.info(new Function('1'));", "no-new-func"),
    "a sys_id": (INCLUDES, "gs.info('0123456789abcdef0123456789abcdef');", "no-restricted-syntax"),
    "an address": (INCLUDES, f"gs.info('https://dev1.{DOMAIN}');", "no-restricted-syntax"),
    "the name gr": (INCLUDES, "var gr = 1; gs.info(gr);", "id-denylist"),
    "the parameter gr": (INCLUDES, "gs.info(function (gr) { return gr; });", "id-denylist"),
    "counting rows by reading them": (INCLUDES, "gs.info(rows.getRowCount());", "no-restricted-syntax"),
    "a password in a call": (INCLUDES, "gs.request.setBasicAuth('a', 'b');", "no-restricted-syntax"),
    "a property without a default": (INCLUDES, "gs.getProperty('a');", "no-restricted-syntax"),
    "a class without new": (INCLUDES, "gs.info(GlideRecord('a'));", "no-restricted-syntax"),
    "let": (INCLUDES, "let x = 1;", "syntax"),
    "const": (INCLUDES, "const x = 1;", "syntax"),
    "an arrow": (INCLUDES, "gs.info(() => 1);", "syntax"),
    "a template": (INCLUDES, "gs.info(`x`);", "syntax"),
    "a class": (INCLUDES, "class X {}", "syntax"),
    "a default": (INCLUDES, "gs.info(function (x = 1) { return x; });", "syntax"),
    "a method of ES6": (INCLUDES, "gs.info('a'.startsWith('b'));", "no-restricted-syntax"),
    "a function of ES6": (INCLUDES, "gs.info(Object.assign({}));", "no-restricted-syntax"),
    "a promise": (INCLUDES, "gs.info(Promise);", "no-undef"),
    "the console": (INCLUDES, "console.info(1);", "no-undef"),
    "Java on the instance": (INCLUDES, "gs.info(Packages.java);", "no-undef"),
    "current outside a rule": (INCLUDES, "gs.info(current);", "no-undef"),
    "the request in a rule": (RULES, "gs.info(request);", "no-undef"),
    "gs on a MID": (MID, "gs.info('x');", "no-undef"),
    "records on a MID": (MID, "ms.log(new GlideRecord('x'));", "no-undef"),
    "an invented HTTP class": (MID, "ms.log(new HTTPRequest('x'));", "no-undef"),
    "the probe on the instance": (FIX, "gs.info(probe);", "no-undef"),
    "a page's global in a class": (UI, "document.write('x');", "no-undef"),
    "the window in a class": (UI, "window.setTimeout(1);", "no-restricted-syntax"),
    "the time in a class": (UI, "window.claudeTerminal.a = new Date();", "no-restricted-syntax"),
    "the time of now in a class": (UI, "window.claudeTerminal.a = Date.now();", "no-restricted-syntax"),
    "a promise in a class": (UI, "window.claudeTerminal.a = Promise;", "no-undef"),
    "an arrow in a class": (UI, "window.claudeTerminal.a = () => 1;", "syntax"),
    "a sys_id in a class": (
        UI,
        "window.claudeTerminal.a = '0123456789abcdef0123456789abcdef';",
        "no-restricted-syntax",
    ),
    "a long line": (INCLUDES, f"gs.info('{'x' * 120}');", "max-len"),
    "a long function": (
        INCLUDES,
        "gs.info(function () {\n" + "    gs.info(1);\n" * 80 + "});",
        "max-lines-per-function",
    ),
    "a tab": (INCLUDES, "\tgs.info(1);", "no-tabs"),
    "double quotes": (INCLUDES, 'gs.info("x");', "quotes"),
}
FINE = {
    "a property with its default": (INCLUDES, "gs.info(gs.getProperty('a', ''));"),
    "another class of the app": (INCLUDES, "gs.info(new Other());"),
    "a rule's own names": (RULES, "gs.info(current, previous);"),
    "Java on a MID": (MID, "ms.log(Packages.java);"),
    "the options of a fix script": (FIX, "gs.info(FIX_OPTIONS, Convergence);"),
    "a function of 80 lines": (INCLUDES, "gs.info(function () {\n" + "    gs.info(1);\n" * 78 + "});"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with ESLint and one other class of the app."""
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "eslint.config.js").write_bytes((ROOT / "eslint.config.js").read_bytes())
    for folder in (INCLUDES, RULES, MID, FIX, UI):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / INCLUDES / "Other.js").write_text("var Other = Class.create();\n")
    return tmp_path


def test_each_fault_is_found_by_its_rule(checkout: Path) -> None:
    """All in one run: ESLint takes a second to start."""
    for place, (folder, line, _) in enumerate(BROKEN.values()):
        (checkout / folder / f"broken{place}.js").write_text(line + "\n")

    found = eslint(checkout)

    for place, (name, (folder, _, rule)) in enumerate(BROKEN.items()):
        told = [line for line in found if line.startswith(f"{folder}/broken{place}.js:")]
        assert any(line.endswith(f"({rule})") for line in told), (name, told)


#: file of a widget, its text, and the rule that finds it
BROKEN_WIDGET = {
    "the console": ("client.js", "console.info(1);", "no-undef"),
    "records in a browser": ("client.js", "api.controller = new GlideRecord('x');", "no-undef"),
    "the window on the instance": ("server.js", "data.a = window;", "no-undef"),
    "let in a browser": ("client.js", "let x = 1;", "syntax"),
    "an arrow on the instance": ("server.js", "data.a = () => 1;", "syntax"),
    "waiting on the instance": ("server.js", "gs.sleep(1);", "no-restricted-syntax"),
    "a controller that is too long": ("client.js", "api.controller = 1;\n" * 301, "max-lines"),
    "a long function in a controller": (
        "client.js",
        "api.controller = function () {\n    api.go = function () {\n"
        + "        api.a = 1;\n" * 26
        + "    };\n};",
        "max-statements",
    ),
}
FINE_WIDGET = {
    "a controller with many functions": (
        "client.js",
        "api.controller = function () {\n" + "    api.go = function () {\n    };\n" * 50 + "};",
    ),
    "what the platform gives to a server script": (
        "server.js",
        "data.a = [input, options, $sp, gs, new Other()];",
    ),
}


def place_widgets(checkout: Path, widgets: Iterable[tuple[str, ...]]) -> None:
    """Write each as a widget of its own."""
    for place, (file, text, *_) in enumerate(widgets):
        (checkout / WIDGET / f"w{place}").mkdir(parents=True)
        (checkout / WIDGET / f"w{place}" / file).write_text(text + "\n")


def test_each_fault_of_a_widget_is_found_by_its_rule(checkout: Path) -> None:
    place_widgets(checkout, BROKEN_WIDGET.values())

    found = eslint(checkout)

    for place, (name, (file, _, rule)) in enumerate(BROKEN_WIDGET.items()):
        told = [line for line in found if line.startswith(f"{WIDGET}/w{place}/{file}:")]
        assert any(line.endswith(f"({rule})") for line in told), (name, told)


def test_what_is_right_in_a_widget_passes(checkout: Path) -> None:
    place_widgets(checkout, FINE_WIDGET.values())

    assert eslint(checkout) == []


def test_the_terminal_and_the_seal_reach_for_the_page(checkout: Path) -> None:
    for name in ("Screen", "Seal"):
        (checkout / UI / f"{name}.js").write_text("window.setTimeout(document, 1);\n")

    assert eslint(checkout) == []


def test_what_is_right_passes(checkout: Path) -> None:
    for place, (folder, line) in enumerate(FINE.values()):
        (checkout / folder / f"fine{place}.js").write_text(line + "\n")

    assert eslint(checkout) == []


def test_a_fault_is_told_with_its_place(checkout: Path) -> None:
    (checkout / FIX / "01.js").write_text("gs.info(1);\ngs.sleep(1);\n")

    assert eslint(checkout) == [
        "fix-scripts/01.js:2: Waiting holds a thread of the instance. (no-restricted-syntax)"
    ]


def test_without_eslint_it_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(AppBroken, match="`make setup` installs it"):
        faults(sources.write(tmp_path))


def test_a_broken_configuration_is_told(checkout: Path) -> None:
    (checkout / "eslint.config.js").write_text("throw new Error('no such thing');\n")

    with pytest.raises(AppBroken, match="no such thing"):
        eslint(checkout)


def test_our_own_sources_are_without_fault() -> None:
    assert faults(ROOT) == []
