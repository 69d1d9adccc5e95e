"""Whether what goes to the browser is in a form that the Service Portal can serve, and fetches nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sidecar.app.library import PREFIX
from sidecar.app.manifest import Manifest
from sidecar.app.record import Record

#: Kind of text → what it must not hold, and why.
_FORBIDDEN: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "script": ((re.compile(r"\$\{"), "${ is replaced by the platform"),),
    "template": (
        (
            re.compile(r"<script\b", re.IGNORECASE),
            "a script in a template: it belongs into the client script",
        ),
        (re.compile(r"\son\w+\s*=", re.IGNORECASE), "a handler as an attribute: use Angular's"),
        (re.compile(r"\bjavascript:", re.IGNORECASE), "a script as an address"),
        (
            re.compile(r"<(link|iframe|object|embed|base)\b", re.IGNORECASE),
            "an element that fetches from elsewhere",
        ),
    ),
    "css": ((re.compile(r"@import\b", re.IGNORECASE), "an import: put the style into its own record"),),
    "compiled": (
        (re.compile(r"(?<![\w-])(min|max|clamp)\("), "SCSS takes it for its own: into styles/ with it"),
    ),
}
_EVERYWHERE = (
    (
        re.compile(r"""["'(]\s*(?:https?:)?//\w"""),
        "an address of another host: networks without it have no page",
    ),
    (re.compile(r"\b[0-9a-f]{32}\b"), "a sys_id, which is different on each instance"),
    (re.compile(r"service-now\.com"), "an address of an instance"),
)
_KINDS = {
    "client_script": "script",
    "script": "script",
    "template": "template",
    "css": "css",
}
_NAMESPACE = "window.claudeTerminal = window.claudeTerminal || {};"
_CLASS = re.compile(r"^ +ns\.([A-Z]\w*) = ", re.MULTILINE)
_PLACED = re.compile(r"^ +ns\.\w+ = ", re.MULTILINE)
_CONTROLLER = re.compile(r"^api\.controller = function", re.MULTILINE)


def forbidden_content(manifest: Manifest) -> Iterator[str]:
    """Name what the files of the portal hold and must not."""
    for record in manifest.of_table("sp_widget", "sp_css", "sys_ui_script"):
        for column, file in record.files.items():
            for pattern, why in _forbidden(record, column):
                for line in _lines(pattern, _own(manifest, file)):
                    yield f"{file}:{line}: {why}"


def _forbidden(record: Record, column: str) -> Iterator[tuple[re.Pattern[str], str]]:
    yield from _FORBIDDEN.get(_KINDS.get(column, ""), ())
    # The style sheets of their own are told not to be compiled, see portal.py; a widget's always is.
    if (record.table, column) == ("sp_widget", "css"):
        yield from _FORBIDDEN["compiled"]
    yield from _EVERYWHERE


def wrong_browser_classes(manifest: Manifest) -> Iterator[str]:
    """Name UI scripts that leave the namespace, and those with another class than that of their name."""
    for record in manifest.of_table("sys_ui_script"):
        file = record.files["script"]
        text = _own(manifest, file)
        name = record.fields["script_name"]
        if not text:
            continue
        if _NAMESPACE not in text.splitlines():
            yield f"{file}: lacks the line {_NAMESPACE}"
        elif not _PLACED.search(text) or set(_CLASS.findall(text)) - {name}:
            yield f"{file}: it does not put {name} into the namespace, or not only that"


def wrong_controllers(manifest: Manifest) -> Iterator[str]:
    """Name client scripts in which the platform finds no controller."""
    for record in manifest.of_table("sp_widget"):
        text = _own(manifest, record.files["client_script"])
        if text and len(_CONTROLLER.findall(text)) != 1:
            yield f"{record.files['client_script']}: one line has to begin with api.controller = function"


def _lines(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    return (text.count("\n", 0, found.start()) + 1 for found in pattern.finditer(text))


def _own(manifest: Manifest, file: str) -> str:
    """Return a file of ours; nothing of a library, or where there is none, which is told elsewhere."""
    if file.startswith(PREFIX) or not (manifest.folder / file).is_file():
        return ""
    return manifest.text(file)
