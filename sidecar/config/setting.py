"""How one setting is declared, and read from what the environment gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, TypeVar

from sidecar.errors import ConfigurationError

T = TypeVar("T")

#: Not shown by `repr`.
_SECRETS = frozenset(
    {
        "ANTHROPIC_API_KEY",
        "API_AUTH_TOKEN",
        "DATABASE_URL",
        "ENCRYPTION_KEY",
        "METRICS_TOKEN",
        "SERVICENOW_API_PASSWORD",
        "SERVICENOW_CLIENT_SECRET",
    }
)


def setting(name: str, parse: Callable[[str], T], default: str | None, about: str) -> Any:
    """Declare one setting: environment variable, parser, default as it would be written, one sentence."""
    metadata = {"name": name, "parse": parse, "default": default, "about": about}
    return field(metadata=metadata, repr=name not in _SECRETS)


def shared(settings: type, name: str) -> Any:
    """Declare the setting that `settings` declares as its field `name`, which is described there."""
    there = next(item for item in fields(settings) if item.name == name)
    return field(metadata={**there.metadata, "shared": True}, repr=there.repr)


def values(settings: type, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of every field of `settings`.

    Raises:
        ConfigurationError: a value is wrong; it is not echoed.
    """
    return {item.name: _value(item.metadata, given) for item in fields(settings)}


def _value(metadata: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    text = given.get(metadata["name"], metadata["default"])
    if text is None:
        return None
    try:
        return metadata["parse"](text)
    except ValueError as error:
        raise ConfigurationError(f"{metadata['name']}: {error}.") from None


def rows(settings: type) -> list[str]:
    """Return the Markdown table of the settings declared here, one line each; none of its values can hold a bar."""
    declared = [item.metadata for item in fields(settings) if "shared" not in item.metadata]
    return ["| setting | default | meaning |", "|---|---|---|", *map(_row, declared)]


def _row(metadata: Mapping[str, Any]) -> str:
    default = metadata["default"]
    return f"| `{metadata['name']}` | {f'`{default}`' if default else '–'} | {metadata['about']} |"
