"""The Table API on the wire. [c_TableAPI, r_RESTAPIHTTPResponseCodes]"""

from __future__ import annotations

import pytest
import requests

from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build

READER = "u_reader"
PASSWORD = "the reader's"

pytestmark = pytest.mark.usefixtures("shelf")


@pytest.fixture(scope="module")
def shelf(instance: Instance) -> Shelf:
    shelf = build(
        instance,
        "u_wire",
        {
            "title": {"internal_type": "string", "max_length": "40"},
            "open": "boolean",
            "owner": {"internal_type": "reference", "reference": "sys_user"},
            "hidden": {"internal_type": "string", "max_length": "40"},
            "secret": "password2",
        },
    )
    instance.script(
        f"""
        var role = new GlideRecord('sys_user_role');
        role.initialize(); role.setValue('name', '{READER}'); var id = role.insert();
        function rule(name, operation, roleName) {{
            var acl = new GlideRecord('sys_security_acl');
            acl.initialize();
            acl.setValue('name', name); acl.setValue('operation', operation); acl.setValue('type', 'record');
            acl.setValue('active', true); acl.setValue('admin_overrides', true);
            if (name === 'u_wire') {{ acl.setValue('condition', 'title!=not for readers'); }}
            var made = acl.insert();
            var link = new GlideRecord('sys_security_acl_role');
            link.initialize(); link.setValue('sys_security_acl', made);
            link.setValue('sys_user_role', roleName === 'admin' ? admin() : id); link.insert();
        }}
        function admin() {{ var r = new GlideRecord('sys_user_role'); r.get('name', 'admin'); return r.getUniqueValue(); }}
        rule('u_wire', 'read'); rule('u_wire.hidden', 'read', 'admin');
        """,
        elevated=True,
    )
    instance.create_user("reader", PASSWORD, [READER])
    return shelf


@pytest.fixture
def reader(instance: Instance) -> Instance:
    return instance.signed_in("reader", PASSWORD)


def add(instance: Instance, **values: str) -> str:
    return instance.table("u_wire").insert(**values)["sys_id"]


def get(instance: Instance, path: str, **parameters: str) -> requests.Response:
    return instance.request("GET", f"/api/now/table/{path}", params=parameters)


def error(answer: requests.Response) -> dict[str, str]:
    document = answer.json()
    assert set(document) == {"error", "status"}
    assert document["status"] == "failure"
    return dict(document["error"])


def test_an_insert_answers_201_with_the_row_and_where_it_is(instance: Instance) -> None:
    answer = instance.request("POST", "/api/now/table/u_wire", json={"title": "a", "open": True})

    row = answer.json()["result"]
    assert answer.status_code == 201
    assert (row["title"], row["open"], row["owner"], row["sys_mod_count"]) == ("a", "true", "", "0")
    assert answer.headers["Location"] == f"{instance.url}/api/now/table/u_wire/{row['sys_id']}"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_update_answers_200_with_the_row(instance: Instance, method: str) -> None:
    sys_id = add(instance, title="a", hidden="stays")

    answer = instance.request(method, f"/api/now/table/u_wire/{sys_id}", json={"title": "b"})

    row = answer.json()["result"]
    assert answer.status_code == 200
    assert (row["title"], row["hidden"], row["sys_mod_count"]) == ("b", "stays", "1")


def test_a_deletion_answers_204_with_nothing_and_then_404(instance: Instance) -> None:
    sys_id = add(instance, title="a")

    answer = instance.request("DELETE", f"/api/now/table/u_wire/{sys_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    again = instance.request("DELETE", f"/api/now/table/u_wire/{sys_id}")
    assert again.status_code == 404
    assert error(again)["message"] == "No Record found"


@pytest.mark.parametrize(
    ("version", "status", "body"),
    [
        ("", 200, {"result": []}),
        ("v2/", 200, {"result": []}),
        (
            "v1/",
            404,
            {
                "error": {
                    "message": "No Record found",
                    "detail": "Record doesn't exist or ACL restricts the record retrieval",
                },
                "status": "failure",
            },
        ),
    ],
    ids=["none", "v2", "v1"],
)
def test_an_empty_list_is_a_404_in_version_1_only(
    instance: Instance, version: str, status: int, body: object
) -> None:
    answer = instance.request("GET", f"/api/now/{version}table/u_wire?sysparm_query=title=nothing")

    assert (answer.status_code, answer.json()) == (status, body)


def test_references_are_links_unless_they_are_excluded(instance: Instance) -> None:
    admin = get(instance, "sys_user", sysparm_query="user_name=admin").json()["result"][0]["sys_id"]
    sys_id = add(instance, owner=admin)

    linked = get(instance, f"u_wire/{sys_id}").json()["result"]["owner"]
    bare = get(instance, f"u_wire/{sys_id}", sysparm_exclude_reference_link="true").json()["result"]["owner"]

    assert linked == {"link": f"{instance.url}/api/now/table/sys_user/{admin}", "value": admin}
    assert bare == admin


@pytest.mark.parametrize(
    ("style", "owner", "is_open"),
    [
        ("true", "System Administrator", "true"),
        (
            "all",
            {"display_value": "System Administrator", "value": "ID"},
            {"display_value": "true", "value": "true"},
        ),
    ],
    ids=["true", "all"],
)
def test_display_values(instance: Instance, style: str, owner: object, is_open: object) -> None:
    admin = get(instance, "sys_user", sysparm_query="user_name=admin").json()["result"][0]["sys_id"]
    sys_id = add(instance, owner=admin, open="true")

    answer = get(
        instance, f"u_wire/{sys_id}", sysparm_display_value=style, sysparm_exclude_reference_link="true"
    )

    row = answer.json()["result"]
    if isinstance(row["owner"], dict):
        assert row["owner"]["value"] == admin
        row["owner"]["value"] = "ID"
    assert (row["owner"], row["open"]) == (owner, is_open)


def test_fields_may_lie_behind_references_and_unknown_ones_are_left_out(instance: Instance) -> None:
    admin = get(instance, "sys_user", sysparm_query="user_name=admin").json()["result"][0]["sys_id"]
    sys_id = add(instance, title="a", owner=admin)

    answer = get(instance, f"u_wire/{sys_id}", sysparm_fields="title, owner.user_name,nothing")

    assert answer.json()["result"] == {"title": "a", "owner.user_name": "admin"}


def test_pages_have_a_total_and_links_to_each_other(instance: Instance) -> None:
    for number in range(5):
        add(instance, title=f"page {number}")
    asked = {"sysparm_query": "titleSTARTSWITHpage^ORDERBYtitle", "sysparm_limit": "2"}

    answer = get(instance, "u_wire", sysparm_offset="2", sysparm_fields="title", **asked)

    assert [row["title"] for row in answer.json()["result"]] == ["page 2", "page 3"]
    assert answer.headers["X-Total-Count"] == "5"
    links = {name: link["url"] for name, link in answer.links.items()}
    assert set(links) == {"first", "prev", "next", "last"}
    last = requests.get(links["last"], auth=(instance.user, instance.password), timeout=30).json()["result"]
    assert [row["title"] for row in last] == ["page 4"]


def test_the_links_can_be_left_out(instance: Instance) -> None:
    asked = {"sysparm_limit": "1", "sysparm_suppress_pagination_header": "true"}
    add(instance), add(instance)

    answer = get(instance, "u_wire", **asked)

    assert "Link" not in answer.headers
    assert "X-Total-Count" in answer.headers


def test_a_column_by_its_name_is_a_condition(instance: Instance) -> None:
    add(instance, title="by name")

    assert len(get(instance, "u_wire", title="by name").json()["result"]) == 1


def test_unknown_fields_of_a_query_are_dropped_silently(instance: Instance) -> None:
    add(instance, title="a")

    everything = get(instance, "u_wire").headers["X-Total-Count"]

    assert get(instance, "u_wire", sysparm_query="nothing=1").headers["X-Total-Count"] == everything


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "u_nothing", None, 400, "Invalid table u_nothing"),
        ("POST", "u_wire", {"nothing": "1"}, 400, "Invalid field"),
        ("POST", "u_wire", ["a"], 400, "Exception while reading request"),
        ("GET", "u_wire?sysparm_query=title~1", None, 400, "Invalid query"),
        ("GET", "u_wire?sysparm_limit=many", None, 400, "Invalid parameter"),
        ("PUT", "u_wire", {}, 405, "Method not supported"),
        ("GET", "u_wire/0123456789abcdef0123456789abcdef", None, 404, "No Record found"),
    ],
    ids=["table", "field", "list", "operator", "limit", "method", "record"],
)
def test_what_is_wrong_is_said(
    instance: Instance, method: str, path: str, body: object, status: int, message: str
) -> None:
    answer = instance.request(method, f"/api/now/table/{path}", json=body)

    assert answer.status_code == status
    assert error(answer)["message"] == message


def test_only_json_is_taken(instance: Instance) -> None:
    headers = {"Content-Type": "application/xml"}

    answer = instance.request("POST", "/api/now/table/u_wire", data="<a/>", headers=headers)

    assert answer.status_code == 415


def test_a_password2_column_is_kept_and_never_given_away(instance: Instance, shelf: Shelf) -> None:
    sys_id = add(instance, secret="the marker")

    shown = get(instance, f"u_wire/{sys_id}", sysparm_display_value="all")

    plain = shelf.run(f"return one('{sys_id}').secret.getDecryptedValue();")
    assert shown.json()["result"]["secret"] == {"display_value": "", "value": ""}
    assert plain == "the marker"


def test_rows_and_columns_a_user_may_not_read_are_not_there(instance: Instance, reader: Instance) -> None:
    shown = add(instance, title="for readers", hidden="not this")
    hidden = add(instance, title="not for readers")

    rows = get(reader, "u_wire", sysparm_query="titleLIKEfor readers").json()["result"]

    assert [row["sys_id"] for row in rows] == [shown]
    assert "hidden" not in rows[0]
    refused = get(reader, f"u_wire/{hidden}")
    assert refused.status_code == 404
    assert error(refused)["detail"] == "Record doesn't exist or ACL restricts the record retrieval"


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [("POST", "u_wire", "Insert"), ("PATCH", "u_wire/ID", "Update"), ("DELETE", "u_wire/ID", "Delete")],
    ids=["insert", "update", "delete"],
)
def test_writes_without_a_right_are_403(
    instance: Instance, reader: Instance, method: str, path: str, operation: str
) -> None:
    sys_id = add(instance, title="a")

    answer = reader.request(method, f"/api/now/table/{path.replace('ID', sys_id)}", json={"title": "b"})

    assert answer.status_code == 403
    assert error(answer) == {
        "message": "Operation Failed",
        "detail": f"ACL Exception {operation} Failed due to security constraints",
    }


def test_a_write_that_a_business_rule_stops_is_403(instance: Instance) -> None:
    instance.table("sys_script").insert(
        name="stop", collection="u_wire", when="before", action_insert="true", active="true",
        filter_condition="title=stopped", script="current.setAbortAction(true);",
    )  # fmt: skip

    answer = instance.request("POST", "/api/now/table/u_wire", json={"title": "stopped"})

    assert answer.status_code == 403
    assert error(answer)["message"] == "Operation Failed"


def test_a_table_may_be_closed_to_web_services(instance: Instance) -> None:
    closed = build(instance, "u_closed", {"title": "string"})
    table = instance.table("sys_db_object")
    table.update(table.rows(f"name={closed.table}")[0]["sys_id"], ws_access="false")

    assert get(instance, closed.table).status_code == 403


@pytest.mark.parametrize(
    "source", ["gs.setProperty('u.changed', '1')", "new GlideRecord('sys_user').getTableName()"]
)
def test_a_query_runs_no_script_of_its_caller(instance: Instance, source: str) -> None:
    """The platform has a sandbox for these; without one a query would be a way past every access rule."""
    answer = instance.request(
        "GET", "/api/now/table/sys_user", params={"sysparm_query": f"user_name=javascript:{source}"}
    )

    assert answer.status_code == 400
    assert instance.script("gs.getProperty('u.changed', 'unchanged')") == "unchanged"


def test_a_rate_limit_answers_429_with_when_to_come_back(instance: Instance) -> None:
    instance.faults(tooManyRequests={"path": "/api/now/table/u_wire", "seconds": 30})

    answer = get(instance, "u_wire")
    other = get(instance, "sys_user")

    instance.faults(tooManyRequests=None)
    assert (answer.status_code, other.status_code) == (429, 200)
    assert error(answer)["message"] == "Rate limit exceeded"
    assert 0 < int(answer.headers["Retry-After"]) <= 30
    assert all(f"X-RateLimit-{name}" in answer.headers for name in ("Limit", "Reset", "Rule"))
    assert get(instance, "u_wire").status_code == 200
