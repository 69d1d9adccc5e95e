"""Widgets and pages of a test's own on an emulated instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from emulator.servicenow import Instance


@dataclass(frozen=True)
class Portals:
    """Makes records of the Service Portal; `place` puts widgets on a page of the portal `tests`."""

    instance: Instance
    suffix: str = "tests"

    def insert(self, table: str, **values: str) -> str:
        return self.instance.table(table).insert(**values)["sys_id"]

    def portal(self, **values: str) -> str:
        return self.insert("sp_portal", **{"title": "Tests", "url_suffix": self.suffix} | values)

    def widget(self, identity: str, **values: str) -> str:
        return self.insert("sp_widget", **{"id": identity, "name": identity} | values)

    def place(
        self, page: str, *widgets: str, instance: dict[str, str] | None = None, **values: str
    ) -> list[str]:
        """Make a page with widgets in one column; return the widget instances."""
        page_id = self.insert("sp_page", **{"id": page, "title": page} | values)
        container = self.insert("sp_container", sp_page=page_id, order="1")
        row = self.insert("sp_row", sp_container=container, order="1")
        column = self.insert("sp_column", sp_row=row, order="1", size="12")
        return [
            self.insert(
                "sp_instance", sp_column=column, sp_widget=widget, order=str(order), **(instance or {})
            )
            for order, widget in enumerate(widgets)
        ]

    def depend(self, widget: str, scripts: Sequence[tuple[str, str]], css: str = "", **values: str) -> None:
        """Give a widget a dependency of UI Scripts, as (name, source) in their order, and a style sheet."""
        dependency = self.insert("sp_dependency", **{"name": "Library"} | values)
        self.insert("m2m_sp_widget_dependency", sp_widget=widget, sp_dependency=dependency)
        for order, (name, source) in enumerate(scripts):
            script = self.insert("sys_ui_script", name=name, script=source)
            include = self.insert("sp_js_include", display_name=name, source="local", sys_ui_script=script)
            self.insert(
                "m2m_sp_dependency_js_include",
                sp_dependency=dependency,
                sp_js_include=include,
                order=str(order),
            )
        if css:
            sheet = self.insert("sp_css", name="sheet", css=css)
            include = self.insert("sp_css_include", name="sheet", source="local", sp_css=sheet)
            self.insert("m2m_sp_dependency_css_include", sp_dependency=dependency, sp_css_include=include)


class Browsing:
    """A session at an instance as a page has it: the cookie, and the token for changes."""

    def __init__(self, url: str, session: requests.Session, user: str, password: str) -> None:
        self.url = url
        self.session = session
        form = {"user_name": user, "user_password": password, "sysparm_goto_url": "sp"}
        document = self.post_form(form)
        self.token = document.text.split('g_ck = "')[1].split('"')[0]

    def post_form(self, form: dict[str, str]) -> requests.Response:
        return self.session.post(self.url + "/login.do", data=form, timeout=30)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=30, **{"allow_redirects": False} | options)

    def page(self, page: str, **parameters: str) -> dict[str, Any]:
        answer = self.get("/api/now/sp/page", params={"id": page, **parameters})
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()["result"]
        return result

    def widgets(self, page: str, **parameters: str) -> list[dict[str, Any]]:
        containers = self.page(page, **parameters)["containers"]
        return [
            model
            for container in containers
            for row in container["rows"]
            for column in row["columns"]
            for model in column["widgets"]
        ]

    def call(self, path: str, given: Any = None, *, token: str | None = None) -> requests.Response:
        headers = {"X-UserToken": self.token if token is None else token}
        return self.session.post(f"{self.url}/api/now/sp/{path}", json=given, headers=headers, timeout=30)
