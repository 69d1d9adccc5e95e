"""The manifest of the ServiceNow app: every record with its table, its sys_id and the files its scripts are in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sidecar.app import portal
from sidecar.app.library import PREFIX, Libraries
from sidecar.app.record import Record
from sidecar.errors import AppBroken

Result = TypeVar("Result")

#: Below a checkout: the app with its manifest, and the scripts that mend an installation.
APP_FOLDER, FIX_FOLDER = "servicenow-app", "fix-scripts"
#: What the records of the Service Portal follow from, see portal.py; an app may have none.
PORTAL_FILE = "portal.json"
#: How the platform writes a time, in UTC.
TIME_FORM = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Manifest:
    """The app: `released` dates everything that is built, so that no clock is needed."""

    folder: Path
    name: str
    scope: str
    version: str
    released: datetime
    sys_id: str
    records: tuple[Record, ...]
    libraries: Libraries

    @property
    def fix_folder(self) -> Path:
        """Return where the fix scripts are."""
        return self.folder.parent / FIX_FOLDER

    def of_table(self, *tables: str) -> list[Record]:
        """Return the records of these tables, in the order of the manifest."""
        return [record for record in self.records if record.table in tables]

    def text(self, file: str) -> str:
        """Return a file a record names.

        Raises:
            AppBroken: it cannot be read, or be built from its package.
        """
        if file.startswith(PREFIX):
            return self.libraries.text(file.removeprefix(PREFIX))
        path = self.folder / file
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AppBroken(f"{path} cannot be read: {error}") from error


def read(source: Path) -> Manifest:
    """Read the manifest of the checkout `source`.

    Raises:
        AppBroken: there is none, or it has another form.
    """
    found = _read(source / APP_FOLDER / "manifest.json", _manifest)
    path = source / APP_FOLDER / PORTAL_FILE
    if not path.is_file():
        return found
    return replace(found, records=(*found.records, *_read(path, partial(_portal, found))))


def _read(path: Path, form: Callable[[Path, Any], Result]) -> Result:
    try:
        return form(path.parent, json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise AppBroken(f"{path} cannot be read: {error.strerror}. --source names the checkout.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise AppBroken(f"{path} has another form: {error}") from error
    except KeyError as error:
        raise AppBroken(f"{path} lacks {error}") from error


def _portal(manifest: Manifest, folder: Path, document: Any) -> tuple[Record, ...]:
    return tuple(portal.records(folder, manifest.scope, document))


def _manifest(folder: Path, document: Any) -> Manifest:
    return Manifest(
        folder=folder,
        name=_text(document["name"]),
        scope=_text(document["scope"]),
        version=_text(document["version"]),
        released=datetime.strptime(document["released"], TIME_FORM).replace(tzinfo=UTC),
        sys_id=_text(document["sys_id"]),
        records=tuple(_record(item) for item in document["records"]),
        libraries=Libraries(folder.parent),
    )


def _record(item: Any) -> Record:
    return Record(
        table=_text(item["table"]),
        sys_id=_text(item["sys_id"]),
        name=_text(item["name"]),
        fields={column: _text(value) for column, value in item["fields"].items()},
        files={column: _text(file) for column, file in item.get("files", {}).items()},
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
