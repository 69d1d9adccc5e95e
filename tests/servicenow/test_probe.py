"""The MID script include: every operation becomes the right call, and everything that goes wrong an answer."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.probe import INCLUDE, KEY, ROOT, SCRIPT, SESSION, TOKEN, USER, Bench, Json, encoded

CREDENTIAL = "7c0f5c1e-8f2b-4c59-9a55-0c7d3b1f2a10"

#: operation → body of the row, and the request it becomes: method, path, body
CALLS: dict[str, tuple[Json, str, str, Json | None]] = {
    "create": (
        {"userId": USER, "workspaceType": "isolated", "sessionId": SESSION, "columns": 80, "rows": 24},
        "POST",
        "/api/session/create",
        {"userId": USER, "workspaceType": "isolated", "sessionId": SESSION, "columns": 80, "rows": 24},
    ),
    "command": (
        {"command": "häl\x1blo", "mode": "text", "waitMs": 1300, "stream": "tab-1", "seq": 1},
        "POST",
        f"/api/session/{SESSION}/command",
        {
            "command": "häl\x1blo",
            "mode": "text",
            "waitMs": 1300,
            "maxBytes": 65536,
            "stream": "tab-1",
            "seq": 1,
        },
    ),
    "output": (
        {"cursor": 842, "encoding": "base64"},
        "GET",
        f"/api/session/{SESSION}/output?cursor=842&maxBytes=65536&encoding=base64",
        None,
    ),
    "outputs": (
        {"pump": "dev:mid-a", "wait": 0, "maxBytes": 1048576, "cursors": {SESSION: 5}},
        "POST",
        "/api/outputs",
        {"pump": "dev:mid-a", "wait": 0, "maxBytes": 65536, "cursors": {SESSION: 5}},
    ),
    "screen": ({}, "GET", f"/api/session/{SESSION}/screen", None),
    "status": ({}, "GET", f"/api/session/{SESSION}/status", None),
    "resize": (
        {"columns": 100, "rows": 30},
        "POST",
        f"/api/session/{SESSION}/resize",
        {"columns": 100, "rows": 30},
    ),
    "terminate": ({}, "DELETE", f"/api/session/{SESSION}", None),
    "list": ({"limit": 100, "offset": 0}, "GET", "/api/sessions?limit=100&offset=0", None),
    "health": ({}, "GET", "/health", None),
    "sealing_key": ({}, "GET", "/api/credentials/key", None),
    "credential.store": (
        {"userId": USER, "sealed": "a.b.c.d.e"},
        "POST",
        "/api/credentials",
        {"userId": USER, "sealed": "a.b.c.d.e"},
    ),
    "credential.delete": ({"credentialId": CREDENTIAL}, "DELETE", f"/api/credentials/{CREDENTIAL}", None),
}
WITHOUT_USER = {"outputs", "health", "sealing_key"}


class TestOperations:
    @pytest.mark.parametrize("op", CALLS)
    def test_becomes_its_one_call(self, bench: Bench, op: str) -> None:
        body, method, path, sent = CALLS[op]
        bench.stub.reply = b'{"done": true}'

        answer = bench.run(op, body)

        request = bench.request
        assert (request.method, request.path) == (method, path)
        assert (request.json if request.body else None) == sent
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert answer.json == {"v": 1, "ok": True, "status": 200, "body": {"done": True}}

    @pytest.mark.parametrize("op", sorted(CALLS.keys() - WITHOUT_USER))
    def test_names_the_user(self, bench: Bench, op: str) -> None:
        bench.run(op, CALLS[op][0])

        assert bench.request.headers["X-User-ID"] == USER

    @pytest.mark.parametrize("op", sorted(CALLS.keys() - WITHOUT_USER))
    def test_is_refused_without_a_user(self, bench: Bench, op: str) -> None:
        answer = bench.run(op, CALLS[op][0], user="-")

        assert (answer.status, answer.detail) == (422, "user is missing or malformed.")
        assert bench.stub.requests == []

    @pytest.mark.parametrize("op", sorted(CALLS))
    def test_passes_the_rows_key_on(self, bench: Bench, op: str) -> None:
        """A row may be delivered twice; the sidecar knows the second by this."""
        bench.run(op, CALLS[op][0])

        assert bench.request.headers["Idempotency-Key"] == KEY
        assert bench.request.headers["X-Request-ID"] == KEY

    @pytest.mark.parametrize("op", [op for op in CALLS if CALLS[op][1] != "GET" and op != "outputs"])
    def test_that_changes_something_needs_a_key(self, bench: Bench, op: str) -> None:
        assert bench.run(op, CALLS[op][0], key="-").status == 422
        assert bench.stub.requests == []

    @pytest.mark.parametrize("op", sorted(CALLS))
    def test_sends_the_same_bytes_again(self, bench: Bench, op: str) -> None:
        """The sidecar compares a repeat byte by byte."""
        backwards = dict(reversed(CALLS[op][0].items()))
        bench.run(op, CALLS[op][0])
        bench.run(op, backwards)

        first, second = bench.stub.requests
        assert (first.path, first.body) == (second.path, second.body)

    def test_there_are_no_others(self, bench: Bench) -> None:
        for op in ("", "job.submit", "toString", "__proto__", "constructor"):
            assert bench.run(op).status == 422
        assert bench.stub.requests == []

    @pytest.mark.parametrize("op", sorted(CALLS))
    def test_exists_at_the_sidecar(self, op: str) -> None:
        """The table is the script's; the sidecar's own document says what each path takes."""
        document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
        _body, method, path, _ = CALLS[op]
        template = (
            path.partition("?")[0].replace(SESSION, "{session_id}").replace(CREDENTIAL, "{credential_id}")
        )

        operation = document["paths"][template][method.lower()]

        known = {parameter["name"] for parameter in operation.get("parameters", [])}
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            known |= set(document["components"]["schemas"][schema.split("/")[-1]]["properties"])
        assert names_of(op) <= known | {"credentialId"}
        assert ("X-User-ID" in known or "userId" in known) == (op not in WITHOUT_USER)


class TestBothSides:
    """One list of names is checked against the instance's file and the MID's."""

    BRIDGE = (ROOT / "servicenow-app/script-includes/ClaudeTerminalBridge.js").read_text(encoding="utf-8")
    PROBE = INCLUDE.read_text(encoding="utf-8")

    def test_know_the_same_operations(self) -> None:
        listed = self.BRIDGE.partition("OPERATIONS = [")[2].partition("]")[0]
        table = self.PROBE.partition("OPERATIONS = {")[2].partition("\n};")[0]

        assert set(re.findall(r"'([a-z._]+)'", listed)) == set(CALLS)
        assert set(re.findall(r"^    '([a-z._]+)': \{", table, re.MULTILINE)) == set(CALLS)

    def test_know_the_same_parameters(self) -> None:
        read = set(re.findall(r"_parameter\('(\w+)'\)", self.PROBE))

        assert read == {"v", "op", "user", "session", "key", "body"}
        assert all(re.search(rf"\b{name}\b", self.BRIDGE) for name in read)

    def test_mean_the_same_script_and_name(self) -> None:
        assert f"SCRIPT: '{SCRIPT}'" in self.BRIDGE
        assert f"NAME: '{INCLUDE.stem}'" in self.BRIDGE


def names_of(op: str) -> set[str]:
    """Return the names that the script's table allows in the body of an operation."""
    table = INCLUDE.read_text(encoding="utf-8").partition("OPERATIONS = {")[2].partition("\n};")[0]
    entry = re.search(rf"'{re.escape(op)}': \{{(.*?)\n    \}}", table, re.DOTALL)
    assert entry
    lists = re.findall(r"(?:query|body): \[(.*?)\]", entry[1], re.DOTALL)
    return {name for listed in lists for name in re.findall(r"'(\w+)'", listed)}


class TestBadRows:
    """Nothing of them may reach the sidecar."""

    @pytest.mark.parametrize(
        "session",
        [
            "../health",
            "a/b?x=1",
            "%2e%2e",
            f"{SESSION}\r\nX-User-ID: root",
            "",
            SESSION + "0",
            SESSION * 100,
            f" {SESSION}",
            SESSION.replace("-", "/"),
        ],
        ids=["dots", "query", "escaped dots", "line", "empty", "longer", "overlong", "blank", "slashes"],
    )
    @pytest.mark.parametrize("op", ["command", "output", "screen", "status", "resize", "terminate"])
    def test_a_session_that_is_no_uuid(self, bench: Bench, op: str, session: str) -> None:
        answer = bench.run(op, CALLS[op][0], session=session)

        assert (answer.status, answer.detail) == (422, "session is not a UUID.")
        assert bench.stub.requests == []

    @pytest.mark.parametrize("wrong", ["../x", "", None, 5, {"a": 1}], ids=str)
    def test_a_credential_that_is_no_uuid(self, bench: Bench, wrong: Any) -> None:
        assert bench.run("credential.delete", {"credentialId": wrong}).status == 422
        assert bench.stub.requests == []

    @pytest.mark.parametrize("user", ["a\r\nX-Evil: 1", "a b", "..", ".x", "a" * 65, "ö"], ids=repr)
    def test_a_user_that_is_none(self, bench: Bench, user: str) -> None:
        assert bench.run("status", user=user).status == 422
        assert bench.stub.requests == []

    @pytest.mark.parametrize("key", ["a\r\nb", "a b", "a" * 65], ids=["line", "blank", "long"])
    def test_a_key_that_is_none(self, bench: Bench, key: str) -> None:
        assert bench.run("terminate", key=key).status == 422
        assert bench.stub.requests == []

    @pytest.mark.parametrize(
        "body",
        ["%%%", encoded([1]), encoded("x"), encoded(None), base64.b64encode(b"{").decode()],
        ids=["no base64", "list", "text", "null", "no json"],
    )
    def test_a_body_that_is_no_object(self, bench: Bench, body: str) -> None:
        given = {"v": "1", "op": "command", "user": USER, "session": SESSION, "key": KEY, "body": body}

        assert bench.host.run(bench.config, given).status == 422
        assert bench.stub.requests == []

    def test_a_field_the_operation_does_not_know(self, bench: Bench) -> None:
        answer = bench.run("resize", {"columns": 1, "rows": 1, "anthropicApiKey": "sk-ant-marker"})

        assert answer.status == 422
        assert "sk-ant-marker" not in base64.b64decode(answer.text).decode()
        assert bench.stub.requests == []

    def test_a_list_where_a_value_of_the_url_is_meant(self, bench: Bench) -> None:
        assert bench.run("list", {"limit": [1]}).status == 422

    @pytest.mark.parametrize("version", ["-", "", "2"])
    def test_another_version_of_the_form(self, bench: Bench, version: str) -> None:
        answer = bench.run("status", v=version)

        assert answer.status == 422
        assert "different versions" in answer.detail

    def test_values_of_the_url_are_escaped(self, bench: Bench) -> None:
        bench.run("list", {"state": "a&owner=*#"})

        assert bench.request.path == "/api/sessions?state=a%26owner%3D*%23"


class TestConfiguration:
    @pytest.mark.parametrize(
        "url",
        [
            "http://sidecar.example:3000",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://user:secret@127.0.0.1:3000",
            "http://10.0.0.1",
            "file:///etc/passwd",
            "ftp://127.0.0.1",
            "http://127.0.0.1:3000/?x=1",
            "127.0.0.1:3000",
            "nonsense",
        ],
    )
    def test_an_address_that_is_neither_loopback_nor_https_is_refused(self, bench: Bench, url: str) -> None:
        bench.config["mid.claude.sidecar.url"] = url

        answer = bench.run("health")

        assert (answer.status, answer.json["problem"]["title"]) == (500, "MID Server not configured")
        assert "secret" not in answer.detail

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://127.0.0.1:1"]
    )
    def test_loopback_and_https_are_tried(self, bench: Bench, url: str) -> None:
        bench.config["mid.claude.sidecar.url"] = url

        assert bench.run("health").status == 502

    def test_a_path_before_the_apis_is_kept(self, bench: Bench) -> None:
        bench.config["mid.claude.sidecar.url"] = bench.stub.url + "/claude/"

        bench.run("health")

        assert bench.request.path == "/claude/health"

    def test_the_secure_parameter_serves_where_no_file_is_named(self, bench: Bench) -> None:
        del bench.config["mid.claude.sidecar.token_file"]
        bench.config["mid.claude.sidecar.token"] = "another-token"

        bench.run("health")

        assert bench.request.headers["Authorization"] == "Bearer another-token"

    def test_the_file_counts_before_the_parameter(self, bench: Bench) -> None:
        bench.config["mid.claude.sidecar.token"] = "another-token"

        bench.run("health")

        assert bench.request.headers["Authorization"] == f"Bearer {TOKEN}"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "not a file of at most 4096 bytes"),
            (b"", "is empty"),
            (b" \n", "is empty"),
            (b"x" * 4097, "not a file of at most 4096 bytes"),
            (b"marker one\nmarker two\n", "not one line of visible ASCII"),
            ("märker".encode(), "not one line of visible ASCII"),
        ],
        ids=["missing", "empty", "blank", "too long", "two lines", "not ASCII"],
    )
    def test_a_token_file_that_is_no_good_is_told_without_its_content(
        self, bench: Bench, tmp_path: Path, content: bytes | None, said: str
    ) -> None:
        token = tmp_path / "token"
        token.unlink()
        if content is not None:
            token.write_bytes(content)

        answer = bench.run("health")

        assert answer.status == 500
        assert said in answer.detail
        assert "marker" not in answer.detail
        assert bench.stub.requests == []

    def test_a_folder_or_a_device_is_no_token_file(self, bench: Bench, tmp_path: Path) -> None:
        for path in (str(tmp_path), "/dev/zero"):
            bench.config["mid.claude.sidecar.token_file"] = path

            assert bench.run("health").status == 500

    def test_without_any_token_it_says_what_to_set(self, bench: Bench) -> None:
        del bench.config["mid.claude.sidecar.token_file"]

        assert "Neither mid.claude.sidecar.token_file nor" in bench.run("health").detail
