"""Hold the package to its layout: one direction of imports, one place per library, small pieces.

The checker only parses; nothing of the package is imported or run, except in the last test of the first
class. The second class breaks every rule on purpose, in small packages of its own.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "sidecar"

#: From left to right; a unit may import what stands in an earlier row. Units of one row do not know each other.
ORDER = (
    ("errors",),
    ("config",),
    ("clock", "origin"),
    ("logs",),
    ("model",),
    ("terminal", "claude", "isolation", "storage", "vault"),
    ("audit",),
    ("access", "engine"),
    ("sessions",),
    ("jobs",),
    ("workflows",),
    ("webhooks", "poller"),
    ("health", "remote"),
    ("records",),
    ("services", "doctor", "app"),
    ("web",),
    ("server",),
    ("cli",),
    ("wsgi",),
    ("__main__",),
)
#: Pairs of different rows that do not know each other either: commands and pages meet in the services.
STRANGERS = frozenset({("cli", "web")})

#: Library -> the only modules (or folders, with everything below) that may import it.
ONLY_IMPORTERS = {
    "alembic": ("sidecar.storage",),
    "cryptography": ("sidecar.vault",),
    "dotenv": ("sidecar.config",),
    "flask": ("sidecar.web",),
    "flask_cors": ("sidecar.web",),
    "gunicorn": ("sidecar.server",),
    "joserfc": ("sidecar.vault",),
    "pexpect": ("sidecar.terminal.process",),
    "prometheus_client": ("sidecar.web",),
    "psycopg": ("sidecar.storage",),
    "pydantic": ("sidecar.config", "sidecar.web"),
    "pyte": ("sidecar.terminal.screen",),
    "pythonjsonlogger": ("sidecar.logs",),
    "requests": ("sidecar.poller.wire",),
    "sqlalchemy": ("sidecar.storage",),
    "urllib3": ("sidecar.poller.wire",),
    "werkzeug": ("sidecar.web",),
}

#: Names that say nothing about what is inside.
EMPTY_NAMES = frozenset({"common", "helper", "helpers", "manager", "misc", "util", "utils"})

MAX_LAZY_IMPORTS = 3
MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 80

ENVIRONMENT = re.compile(r"\bos\.(environb?|getenvb?|putenv|unsetenv)\b")
ENVIRONMENT_NAMES = frozenset({"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One parsed file and its dotted name."""

    name: str
    is_package: bool
    tree: ast.Module
    lines: int

    @property
    def unit(self) -> str:
        """Return the part of the layout it belongs to; "" is the package's own `__init__`."""
        return (self.name.split(".") + [""])[1]


@dataclass(frozen=True)
class Import:
    """One module asks for another, at load or (`lazy`) inside a function or (`typing`) for annotations only."""

    source: Module
    target: str
    line: int
    lazy: bool
    typing: bool

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line} imports {self.target}"


def modules_of(root: Path) -> dict[str, Module]:
    """Parse every file of the package below `root`; a missing package has none. Revision files are data."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        if "versions" in path.parts and "migrations" in path.parts:
            continue
        parts = path.relative_to(root).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, is_package, ast.parse(text), text.count("\n"))
    return found


def imports_of(module: Module, known: dict[str, Module]) -> list[Import]:
    """Return what a module imports; `from package import name` is the submodule `name` where there is one."""
    return [
        Import(module, target, node.lineno, lazy, typing)
        for node, lazy, typing in _import_nodes(module.tree)
        for target in _targets(node, module, known)
    ]


def _import_nodes(
    node: ast.AST, lazy: bool = False, typing: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, lazy, typing
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _import_nodes(child, lazy, typing=True)
        else:
            yield from _import_nodes(child, lazy or isinstance(child, Function | ast.Lambda), typing)


def _targets(node: ast.Import | ast.ImportFrom, module: Module, known: dict[str, Module]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = _base(node, module)
    for alias in node.names:
        submodule = f"{base}.{alias.name}"
        yield submodule if submodule in known else base


def _base(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    parents = module.name.split(".")
    keep = len(parents) - node.level + (1 if module.is_package else 0)
    return ".".join(parents[:keep] + ([node.module] if node.module else []))


def all_imports(modules: dict[str, Module]) -> list[Import]:
    """Return every import of every module."""
    return [item for module in modules.values() for item in imports_of(module, modules)]


def own_imports(modules: dict[str, Module]) -> list[Import]:
    """Return the imports that stay inside the package."""
    return [item for item in all_imports(modules) if item.target.split(".")[0] == PACKAGE]


def unplaced_units(modules: dict[str, Module]) -> list[str]:
    """Name the modules and folders that have no place in the order."""
    placed = {unit for row in ORDER for unit in row} | {""}
    return sorted({module.unit for module in modules.values()} - placed)


def order_violations(modules: dict[str, Module]) -> list[str]:
    """Name the imports that do not point to the left, those for annotations included."""
    rank = {unit: place for place, row in enumerate(ORDER) for unit in row} | {"": -1}
    return [str(item) for item in own_imports(modules) if not _points_left(item, rank)]


def _points_left(item: Import, rank: dict[str, int]) -> bool:
    source, target = item.source.unit, (item.target.split(".") + [""])[1]
    if source == target:
        return True
    if (source, target) in STRANGERS or source not in rank or target not in rank:
        return False
    return rank[target] < rank[source]


def cycles(modules: dict[str, Module]) -> list[str]:
    """Describe the first cycle of imports that run at load; order alone does not exclude one inside a folder."""
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for item in own_imports(modules):
        if not (item.lazy or item.typing or item.target == item.source.name):
            graph[item.source.name].add(item.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"{first} <- {second}" for first, second in pairwise(error.args[1])]
    return []


def strayed_libraries(modules: dict[str, Module]) -> list[str]:
    """Name the imports of a boundary library outside its place."""
    return [str(item) for item in all_imports(modules) if not _is_at_home(item)]


def _is_at_home(item: Import) -> bool:
    homes = ONLY_IMPORTERS.get(item.target.split(".")[0])
    name = item.source.name
    return homes is None or any(name == home or name.startswith(f"{home}.") for home in homes)


def lazy_imports(modules: dict[str, Module]) -> list[str]:
    """Name the imports inside functions, of the package and of libraries alike."""
    return [str(item) for item in all_imports(modules) if item.lazy]


def empty_names(modules: dict[str, Module]) -> list[str]:
    """Name the modules and folders whose name says nothing."""
    return [name for name in modules if EMPTY_NAMES & set(re.split(r"[._]", name))]


def long_modules(modules: dict[str, Module]) -> list[str]:
    """Name the modules that are too long, with their lines."""
    return [f"{m.name}: {m.lines}" for m in modules.values() if m.lines > MAX_MODULE_LINES]


def long_functions(modules: dict[str, Module]) -> list[str]:
    """Name the functions that are too long, with their lines."""
    return [
        f"{module.name}.{node.name}: {length}"
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, Function) and (length := function_lines(node)) > MAX_FUNCTION_LINES
    ]


def function_lines(node: Function) -> int:
    """Count from the first statement after the docstring to the last line."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def environment_reads(modules: dict[str, Module]) -> list[str]:
    """Name the places outside `config` that touch the environment."""
    return [
        f"{module.name}:{line}"
        for module in modules.values()
        if module.unit != "config"
        for line in _environment_lines(module.tree)
    ]


def _environment_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ENVIRONMENT.fullmatch(ast.unparse(node)):
            yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if alias.name in ENVIRONMENT_NAMES)


def too_many_lazy_imports(modules: dict[str, Module]) -> list[str]:
    """Name all imports inside functions once there are more than allowed."""
    found = lazy_imports(modules)
    return found if len(found) > MAX_LAZY_IMPORTS else []


Rule = Callable[[dict[str, Module]], list[str]]

RULES: tuple[Rule, ...] = (
    unplaced_units,
    order_violations,
    cycles,
    strayed_libraries,
    too_many_lazy_imports,
    empty_names,
    long_modules,
    long_functions,
    environment_reads,
)


def import_without_flask(root: Path) -> subprocess.CompletedProcess[str]:
    """Import the composition root in a new interpreter that fails when Flask was loaded with it."""
    script = "import sys, sidecar.services; sys.exit('flask is loaded' if 'flask' in sys.modules else 0)"
    command = [sys.executable, "-B", "-c", script]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)


class TestThePackage:
    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    def test_keeps_the_rule(self, rule: Rule) -> None:
        assert rule(modules_of(ROOT)) == []

    def test_imports_its_services_without_flask(self) -> None:
        if not (ROOT / PACKAGE / "services.py").exists():
            return

        result = import_without_flask(ROOT)

        assert result.returncode == 0, result.stderr


def plant(root: Path, files: dict[str, str]) -> dict[str, Module]:
    """Write a package with these files below `root`, every folder with an `__init__`, and parse it."""
    (root / PACKAGE).mkdir()
    (root / PACKAGE / "__init__.py").touch()
    for name, text in files.items():
        path = root / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return modules_of(root)


def function_of(lines: int) -> str:
    """Return a function whose body has this many lines, after a docstring that does not count."""
    return 'def long() -> None:\n    """Be long.\n\n    Very."""\n' + "    print()\n" * lines


BROKEN: dict[str, tuple[Rule, dict[str, str]]] = {
    "a unit nobody placed": (unplaced_units, {"novelty.py": ""}),
    "a folder nobody placed": (unplaced_units, {"novelty/thing.py": ""}),
    "an import to the right": (
        order_violations,
        {"model/job.py": "import sidecar.web.views", "web/views.py": ""},
    ),
    "an import to the right from config": (
        order_violations,
        {"config.py": "from sidecar import clock", "clock.py": ""},
    ),
    "neighbours that know each other": (
        order_violations,
        {"vault/a.py": "from sidecar.storage import b", "storage/b.py": ""},
    ),
    "a command that knows the pages": (
        order_violations,
        {"cli.py": "from sidecar.web import app", "web/app.py": ""},
    ),
    "a relative import to the right": (
        order_violations,
        {"vault/a.py": "from ..sessions import b", "sessions/b.py": ""},
    ),
    "a right import in a function": (order_violations, {"clock.py": "def f():\n    import sidecar.services"}),
    "a right import for annotations": (
        order_violations,
        {
            "clock.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sidecar import services",
            "services.py": "",
        },
    ),
    "the package itself imports its parts": (
        order_violations,
        {"__init__.py": "from sidecar import errors", "errors.py": ""},
    ),
    "a cycle in one folder": (
        cycles,
        {
            "model/a.py": "from sidecar.model import b",
            "model/b.py": "from .c import x",
            "model/c.py": "from . import a\nx = 1",
        },
    ),
    "a terminal library in the wrong file": (strayed_libraries, {"terminal/reader.py": "import pexpect"}),
    "a library's submodule in the wrong folder": (
        strayed_libraries,
        {"sessions/live.py": "from sqlalchemy.orm import Session"},
    ),
    "a library in a function": (strayed_libraries, {"services.py": "def f():\n    import flask"}),
    "a folder that begins like the right one": (strayed_libraries, {"web2/a.py": "import flask"}),
    "four imports in functions": (
        too_many_lazy_imports,
        {
            "clock.py": "def f():\n    import a\n    import b\nclass C:\n    def g(self):\n        import c\n        import d"
        },
    ),
    "a module named utils": (empty_names, {"model/utils.py": ""}),
    "a folder named common": (empty_names, {"common/thing.py": ""}),
    "a module that ends in manager": (empty_names, {"sessions/session_manager.py": ""}),
    "501 lines": (long_modules, {"clock.py": "x = 1\n" * 501}),
    "a function of 81 lines": (long_functions, {"clock.py": function_of(81)}),
    "a method of 81 lines": (
        long_functions,
        {"clock.py": "class C:\n" + textwrap.indent(function_of(81), "    ")},
    ),
    "os.environ": (environment_reads, {"clock.py": "import os\nx = os.environ['A']"}),
    "os.getenv": (environment_reads, {"web/app.py": "import os\ndef f():\n    return os.getenv('A')"}),
    "from os import environ": (environment_reads, {"clock.py": "from os import path, environ as e"}),
}

KEPT: dict[str, dict[str, str]] = {
    "nothing at all": {},
    "imports to the left": {"model/a.py": "from sidecar.errors import E", "errors.py": "E = 1"},
    "the package's version": {"cli.py": "from sidecar import __version__\nfrom sidecar.services import open"},
    "no cycle through a type": {
        "model/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sidecar.model import b",
        "model/b.py": "from sidecar.model import a",
    },
    "libraries at home": {
        "terminal/process.py": "import pexpect",
        "terminal/screen.py": "import pyte.screens",
        "storage/rows.py": "from sqlalchemy import orm\nimport alembic.command",
        "web/views.py": "import flask, pydantic",
        "config.py": "import pydantic, os\nx = os.environ",
    },
    "three imports in functions": {"clock.py": "def f():\n    import a\n    import b\n    import c"},
    "500 lines": {"clock.py": "x = 1\n" * 500},
    "a function of 80 lines": {"clock.py": function_of(80)},
    "names that only contain an empty one": {"model/utility.py": "", "model/commonplace.py": ""},
    "the rest of os": {"clock.py": "import os\nx = os.path.join(os.sep)"},
    "revision files that are data": {"storage/migrations/versions/0001.py": "x = 1\n" * 501},
}


class TestTheChecker:
    @pytest.mark.parametrize(("rule", "files"), BROKEN.values(), ids=BROKEN)
    def test_finds(self, tmp_path: Path, rule: Rule, files: dict[str, str]) -> None:
        assert rule(plant(tmp_path, files))

    @pytest.mark.parametrize("files", KEPT.values(), ids=KEPT)
    def test_accepts(self, tmp_path: Path, files: dict[str, str]) -> None:
        modules = plant(tmp_path, files)

        assert [found for rule in RULES for found in rule(modules)] == []

    def test_accepts_a_missing_package(self, tmp_path: Path) -> None:
        assert modules_of(tmp_path) == {}
        assert [found for rule in RULES for found in rule({})] == []

    def test_names_the_place_of_a_fault(self, tmp_path: Path) -> None:
        modules = plant(tmp_path, {"model/job.py": "\nfrom sidecar.web import views", "web/views.py": ""})

        assert order_violations(modules) == ["sidecar.model.job:2 imports sidecar.web.views"]

    def test_finds_flask_behind_the_services(self, tmp_path: Path) -> None:
        plant(tmp_path, {"services.py": "import flask"})

        result = import_without_flask(tmp_path)

        assert result.returncode != 0
        assert "flask is loaded" in result.stderr

    def test_accepts_services_without_flask(self, tmp_path: Path) -> None:
        plant(tmp_path, {"services.py": "import json"})

        assert import_without_flask(tmp_path).returncode == 0
