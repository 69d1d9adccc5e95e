"""The fix scripts as they are run: each in one piece, with the records it looks after written into it.

In the sources, two comments stand for what is put in::

    /* include converge.js */                      the other file, indented like the comment
    var WANTED = /* wanted table session */ [];    the manifest's records, as a literal

What can be wanted: `table` with names without the scope (the table with its columns and indexes), `records` with
names of the platform's tables, and `everything`.
"""

from __future__ import annotations

import json
import re
import struct
import textwrap
from collections.abc import Iterator

from sidecar.app.manifest import Manifest
from sidecar.app.record import Record
from sidecar.errors import AppBroken

_INCLUDE = re.compile(r"^( *)/\* include (\S+) \*/$", re.MULTILINE)
_WANTED = re.compile(r"/\* wanted ([a-z0-9_ ]+?) \*/ \[\]")
#: What either begins with; one that is written wrongly would silently stand for nothing.
_MARK = re.compile(r"/\* (?:include|wanted) .*")
#: Which field of a table's own records says to which table they belong.
_OWNERS = {"sys_db_object": "name", "sys_dictionary": "name", "sys_index": "logical_table_name"}


def fix_scripts(manifest: Manifest) -> dict[str, str]:
    """Return every fix script in one piece, by its name."""
    return {
        record.name: expanded(manifest, manifest.text(record.files["script"]))
        for record in manifest.of_table("sys_script_fix")
    }


def expanded(manifest: Manifest, source: str) -> str:
    """Return a fix script with the comments replaced.

    Raises:
        AppBroken: it includes a file that is not there, wants what the manifest does not have, or is in another form.
    """
    whole = _INCLUDE.sub(lambda found: _included(manifest, found[2], found[1]), source)
    whole = _WANTED.sub(lambda found: _literal(manifest, wanted(manifest, found[1])), whole)
    if left := _MARK.search(whole):
        raise AppBroken(
            f"a fix script holds {left[0]!r}, which is not the form of an include or of what is wanted"
        )
    return whole


def wanted(manifest: Manifest, selector: str) -> list[Record]:
    """Return the records a selector names.

    Raises:
        AppBroken: there are none of a kind it names.
    """
    kind, *names = selector.split()
    if kind == "everything":
        return list(manifest.records)
    select = {"table": _of_own_table, "records": _of_platform_table}.get(kind)
    if select is None:
        raise AppBroken(f"a fix script wants {kind}: there are table, records and everything")
    return [record for name in names for record in select(manifest, name)]


def _of_own_table(manifest: Manifest, name: str) -> list[Record]:
    table = f"{manifest.scope}_{name}"
    return _some(table, (r for r in manifest.records if r.fields.get(_OWNERS.get(r.table, "")) == table))


def _of_platform_table(manifest: Manifest, name: str) -> list[Record]:
    return _some(name, iter(manifest.of_table(name)))


def _some(name: str, records: Iterator[Record]) -> list[Record]:
    found = list(records)
    if not found:
        raise AppBroken(f"a fix script wants records of {name}, and the manifest has none")
    return found


def _included(manifest: Manifest, file: str, indent: str) -> str:
    return textwrap.indent(manifest.text(f"../{manifest.fix_folder.name}/{file}").rstrip("\n"), indent)


def _literal(manifest: Manifest, records: list[Record]) -> str:
    """Return a JavaScript array; its own line for each record, because people read these scripts before a run."""
    lines = ",\n".join("    " + json.dumps(_shape(manifest, record)) for record in records)
    return f"[\n{lines}\n]"


def _shape(manifest: Manifest, record: Record) -> dict[str, object]:
    # A fix script cannot hold its own checksum.
    files = {} if record.table == "sys_script_fix" else record.files
    return {
        "table": record.table,
        "sys_id": record.sys_id,
        "name": record.name,
        "fields": {"sys_scope": manifest.sys_id, **record.fields},
        "scripts": {column: checksum(manifest.text(file)) for column, file in sorted(files.items())},
    }


def checksum(text: str) -> int:
    """Return what `Convergence.checksum` in converge.js makes of the same text."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").rstrip(" \n").encode("utf-16-le")
    total = 0
    for (unit,) in struct.iter_unpack("<H", plain):
        total = (total * 31 + unit) & 0xFFFFFFFF
    return total - (1 << 32) if total >= 1 << 31 else total
