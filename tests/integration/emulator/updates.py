"""Update sets in the making, and their way onto an emulated instance."""

from __future__ import annotations

import hashlib
from typing import Any
from xml.sax.saxutils import escape

import requests

from emulator.servicenow import Instance

Fields = dict[str, str]


def sys_id(subject: str) -> str:
    return hashlib.md5(subject.encode(), usedforsecurity=False).hexdigest()


def elements(fields: Fields) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())


class UpdateSet:
    """An update set in the making."""

    def __init__(self, name: str) -> None:
        self.id = sys_id(f"set {name}")
        self.head = {"name": name, "sys_id": self.id, "state": "loaded", "application": "global"}
        self.updates: list[Fields] = []

    def add(self, table: str, action: str = "INSERT_OR_UPDATE", **fields: str) -> str:
        """Add a record; return its sys_id."""
        fields.setdefault("sys_id", sys_id(f"{table} {fields}"))
        self.add_payload(
            f"{table}_{fields['sys_id']}",
            f'<record_update table="{table}"><{table} action="{action}">{elements(fields)}</{table}></record_update>',
        )
        return fields["sys_id"]

    def add_payload(self, name: str, payload: str) -> None:
        self.updates.append(
            {
                "action": "INSERT_OR_UPDATE",
                "category": "customer",
                "name": name,
                "payload": payload,
                "remote_update_set": self.id,
                "sys_id": sys_id(f"update {self.id} {name}"),
            }
        )

    @property
    def text(self) -> str:
        updates = "".join(
            f'<sys_update_xml action="INSERT_OR_UPDATE">{elements(update)}</sys_update_xml>'
            for update in self.updates
        )
        head = (
            f'<sys_remote_update_set action="INSERT_OR_UPDATE">{elements(self.head)}</sys_remote_update_set>'
        )
        return f'<unload unload_date="2026-01-15 09:30:00">{head}{updates}</unload>'


def control(instance: Instance, path: str, **options: Any) -> requests.Response:
    return instance.request("POST", f"/emulator/update_sets{path}", **options)


def load(instance: Instance, text: str) -> requests.Response:
    return control(instance, "", data=text.encode())


def preview(instance: Instance, update_set: UpdateSet) -> list[str]:
    loaded = load(instance, update_set.text)
    assert loaded.status_code == 200, loaded.text
    problems: list[str] = control(instance, f"/{update_set.id}/preview").json()["problems"]
    return problems


def commit(instance: Instance, update_set: UpdateSet, *, elevated: bool = False) -> dict[str, Any]:
    assert preview(instance, update_set) == []
    answer = control(instance, f"/{update_set.id}/commit", json={"elevated": elevated})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def table_of(update_set: UpdateSet, name: str, columns: dict[str, str]) -> None:
    """Add a table to a set, its columns first: the instance has to find the order."""
    for element, type_ in columns.items():
        update_set.add("sys_dictionary", name=name, element=element, internal_type=type_, max_length="40")
    update_set.add("sys_dictionary", name=name, internal_type="collection")
    update_set.add("sys_db_object", name=name, label=name)
