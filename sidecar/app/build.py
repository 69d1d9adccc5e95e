"""What is delivered: the update set and the folder of fix scripts."""

from __future__ import annotations

from pathlib import Path

from sidecar.app.fixscripts import fix_scripts
from sidecar.app.manifest import FIX_FOLDER, Manifest
from sidecar.app.updateset import update_set
from sidecar.errors import AppBroken

#: Goes with the scripts: their order, and what they need.
_README = "README.md"


def build(manifest: Manifest, output: Path) -> list[Path]:
    """Write the update set and the fix scripts below `output`; return the files, the update set first.

    Raises:
        AppBroken: the sources do not fit together, or the folder cannot be written.
    """
    scripts = fix_scripts(manifest)
    files = {output / f"claude-terminal-{manifest.version}.xml": update_set(manifest, scripts)}
    for name, script in scripts.items():
        files[output / FIX_FOLDER / f"{name}.js"] = script
    files[output / FIX_FOLDER / _README] = manifest.text(f"../{FIX_FOLDER}/{_README}")
    try:
        _write(files, output)
    except OSError as error:
        raise AppBroken(f"{error.filename} cannot be written: {error.strerror}") from error
    return list(files)


def _write(files: dict[Path, str], output: Path) -> None:
    (output / FIX_FOLDER).mkdir(parents=True, exist_ok=True)
    # What an earlier version left would be run, or imported, beside this one's.
    for stale in (*output.glob("claude-terminal-*.xml"), *(output / FIX_FOLDER).glob("*.js")):
        stale.unlink()
    for path, text in files.items():
        path.write_bytes(text.encode())
