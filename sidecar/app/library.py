"""Scripts and styles that others wrote, from the npm packages, in the form the platform can serve.

The platform replaces `${…}` in UI Scripts, so their template literals are written as additions. Two more things are
done in the same pass: what is newer than ES2015 is written in it, for browsers that are no longer young, and what is
not printable ASCII is escaped, so that it comes through XML and any character set unchanged.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from sidecar.errors import AppBroken

#: Begins the name of a file that is built from a package instead of being in the app's folder.
PREFIX = "npm:"
_PACKAGES = Path("node_modules")
_TRANSPILE = (
    "--minify",
    "--target=es2015",
    "--supported:template-literal=false",
    "--charset=ascii",
    "--legal-comments=none",  # the whole licence stands at the top
    "--log-level=error",
)
_ESBUILD_S = 60
_CONTROL = re.compile(r"(?<!\\)[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Libraries:
    """Texts of the packages below `root`; each is made once. Does not fetch packages: `make setup` does."""

    def __init__(self, root: Path) -> None:
        self._packages = root / _PACKAGES
        self._texts: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return a file of a package, such as `@xterm/xterm/lib/xterm.js`, as it is delivered.

        Raises:
            AppBroken: the package or esbuild is not there, or the script still holds what the platform replaces.
        """
        if name not in self._texts:
            self._texts[name] = self._notice(name) + self._body(name)
        return self._texts[name]

    def _body(self, name: str) -> str:
        if not name.endswith(".js"):
            return self._read(name)
        script = self._transpiled(name)
        if "${" in script:
            raise AppBroken(f"{name} holds ${{ after it was transpiled, which the platform would replace")
        return script

    def _transpiled(self, name: str) -> str:
        command = [str(self._packages.resolve() / ".bin" / "esbuild"), "--loader=js", *_TRANSPILE]
        source = self._read(name)
        try:
            done = subprocess.run(
                command, input=source, capture_output=True, text=True, check=False, timeout=_ESBUILD_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AppBroken(f"esbuild does not run; `make setup` installs it: {error}") from error
        if done.returncode:
            raise AppBroken(f"esbuild refuses {name}: {done.stderr.strip()[:500]}")
        # Where a control character may stand in a script, in a string or a regular expression, its escape may too.
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", done.stdout)

    def _notice(self, name: str) -> str:
        """Return the package's licence as a comment: it asks to go with every copy."""
        package = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
        version = json.loads(self._read(f"{package}/package.json"))["version"]
        licence = self._read(f"{package}/LICENSE").replace("*/", "* /").rstrip()
        lines = [f"{package} {version}", "", *licence.splitlines()]
        return "/*!\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"

    def _read(self, name: str) -> str:
        path = self._packages / name
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AppBroken(f"{path} cannot be read; `make setup` installs it: {error}") from error
