"""One record of the ServiceNow app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Record:
    """One record: `fields` as the platform stores them, and of each script the file, relative to the app."""

    table: str
    sys_id: str
    name: str
    fields: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.table} {self.name}"
