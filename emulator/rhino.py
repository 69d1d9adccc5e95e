"""Programs that run on Rhino: find Java and the libraries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import which

from emulator import program

FOLDER = Path(__file__).resolve().parent
SHARED = FOLDER / "shared"
#: Debian's places for Rhino and for SQLite's driver.
LIBRARIES = (Path("/usr/share/java/js.jar"), Path("/usr/share/java/sqlite-jdbc.jar"))

#: Small and quick to start: several of these run side by side on a computer with two processors.
JAVA_OPTIONS = (
    "-Xmx512m",
    "-Xss4m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dfile.encoding=UTF-8",
    "-Duser.timezone=UTC",
    "-Dsun.net.httpserver.nodelay=true",
)
RHINO_OPTIONS = ("-opt", "0", "-version", "200", "-require")


class RhinoError(program.ProgramError):
    """A program on Rhino cannot be started or has ended; the text says why."""


def java() -> str:
    """Return where Java is; raise `RhinoError` that names the missing package."""
    found = which("java")
    if found is None:
        raise RhinoError("java is missing: install the package default-jre-headless")
    missing = [str(library) for library in LIBRARIES if not library.exists()]
    if missing:
        packages = "rhino libxerial-sqlite-jdbc-java"
        raise RhinoError(f"{', '.join(missing)} is missing: install the packages {packages}")
    return found


def command(main: Path, arguments: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """Return the command that runs `main`; it may `require` what lies beside it and in `shared`.

    Args:
        main: The program.
        arguments: What it is given.
        options: More options of Java's.
    """
    libraries = ":".join(map(str, LIBRARIES))
    shell = [java(), *JAVA_OPTIONS, *options, "-cp", libraries, "org.mozilla.javascript.tools.shell.Main"]
    modules = ["-modules", str(main.parent), "-modules", str(SHARED)]
    return [*shell, *RHINO_OPTIONS, *modules, str(main), *arguments]


class Program(program.Program):
    """One program on Rhino."""

    failure = RhinoError

    def __init__(self, main: Path, arguments: Sequence[str], log: Path, ready: str) -> None:
        """Describe the program; a line with the pattern `ready` says that it is up."""
        super().__init__(main.parent.name, log, ready)
        self._main = main
        self.arguments = list(arguments)
        #: More options of Java's, for the next start.
        self.java_options: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """Return Java with the libraries and the program; raise `RhinoError` when one is missing."""
        return command(self._main, self.arguments, self.java_options)
