"""What the MID script makes of the sidecar's answers, and of none."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from pathlib import Path

import pytest

from tests.fixtures.probe import INCLUDE, SCRIPT, Bench, Json, ProbeHost

#: As much as one row may carry.
LARGEST = 128 << 10
#: One operation of each method.
CALLS: dict[str, Json] = {"command": {"command": "x"}, "status": {}, "terminate": {}}


def replying(bench: Bench, value: object, status: int = 200) -> None:
    """Let the sidecar answer this."""
    bench.stub.status, bench.stub.reply = status, json.dumps(value, ensure_ascii=False).encode()


class TestAnswers:
    def test_every_byte_survives(self, bench: Bench) -> None:
        """ESC and its like cannot travel in XML, so everything is base64."""
        text = "".join(map(chr, range(256))) + "\u2028😀"
        replying(bench, {"data": text})

        answer = bench.run("output")

        assert answer.json["body"] == {"data": text}
        assert re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", answer.text)

    def test_64_kib_of_output_fit(self, bench: Bench) -> None:
        replying(bench, {"data": base64.b64encode(bytes(64 << 10)).decode(), "encoding": "base64"})

        answer = bench.run("output")

        assert answer.json["ok"] is True
        assert len(answer.text) <= LARGEST

    def test_what_does_not_fit_is_told(self, bench: Bench) -> None:
        replying(bench, {"data": "x" * LARGEST})

        answer = bench.run("output")

        assert (answer.status, answer.json["problem"]["title"]) == (502, "Answer too large")

    def test_what_would_fill_the_memory_is_not_read(self, bench: Bench) -> None:
        bench.stub.reply = b"x" * (3 << 20)

        assert "more than 1048576 bytes" in bench.run("output").detail

    def test_a_large_screen_comes_without_its_lines(self, bench: Bench) -> None:
        """The text is in `ansi` as well."""
        replying(bench, {"ansi": "x" * 60_000, "lines": ["y" * 60_000], "offset": 5})

        body = bench.run("screen").json["body"]

        assert body == {"ansi": "x" * 60_000, "offset": 5}

    def test_a_small_screen_is_whole(self, bench: Bench) -> None:
        replying(bench, {"ansi": "x", "lines": ["y"], "offset": 5})

        assert bench.run("screen").json["body"] == {"ansi": "x", "lines": ["y"], "offset": 5}

    @pytest.mark.parametrize("status", [200, 201])
    def test_success_keeps_its_status(self, bench: Bench, status: int) -> None:
        replying(bench, {"a": 1}, status)

        assert bench.run("create").json == {"v": 1, "ok": True, "status": status, "body": {"a": 1}}


class TestRefusals:
    @pytest.mark.parametrize("op", CALLS)
    def test_a_wrong_token_is_told_in_the_same_words_for_every_operation(self, bench: Bench, op: str) -> None:
        """Java makes an exception of a 401 to a POST, and an answer of one to a GET."""
        replying(bench, {"title": "Unauthenticated", "status": 401, "detail": "d"}, 401)

        answer = bench.run(op, CALLS[op])

        assert (answer.status, answer.json["problem"]["title"]) == (401, "Token refused")
        assert "API_AUTH_TOKEN" in answer.detail
        assert len(bench.stub.requests) == 1

    @pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422, 429, 500, 502, 503])
    @pytest.mark.parametrize("op", CALLS)
    def test_a_problem_of_the_sidecar_is_passed_on(self, bench: Bench, op: str, status: int) -> None:
        replying(
            bench,
            {"type": "about:blank", "title": "No", "status": status, "detail": "Because.", "error": "x"},
            status,
        )

        answer = bench.run(op, CALLS[op]).json

        assert (answer["ok"], answer["status"]) == (False, status)
        assert answer["problem"] == {
            "type": "about:blank",
            "title": "No",
            "status": status,
            "detail": "Because.",
        }

    def test_the_broken_fields_are_passed_on(self, bench: Bench) -> None:
        errors = [{"field": "columns", "message": "too many"}]
        replying(bench, {"title": "Bad", "detail": "d", "errors": errors}, 422)

        assert bench.run("resize", {"columns": 900, "rows": 1}).json["problem"]["errors"] == errors

    def test_so_is_when_to_try_again(self, bench: Bench) -> None:
        replying(bench, {"title": "Rate limited", "detail": "d"}, 429)
        bench.stub.headers = {"Retry-After": "7"}

        assert bench.run("status").json["problem"]["retryAfter"] == 7

    def test_an_unhealthy_sidecar_says_what_is_wrong(self, bench: Bench) -> None:
        checks = {"database": {"ok": False, "detail": "does not answer"}, "disk": {"ok": True, "detail": ""}}
        replying(bench, {"status": "degraded", "checks": checks}, 503)

        answer = bench.run("health")

        assert (answer.status, answer.detail) == (503, "database: does not answer")

    def test_a_draining_sidecar_says_so(self, bench: Bench) -> None:
        replying(bench, {"status": "draining", "checks": {"disk": {"ok": True, "detail": ""}}}, 503)

        assert bench.run("health").detail == "It is draining."

    @pytest.mark.parametrize(
        ("status", "reply"),
        [(200, b"<html>"), (200, b""), (200, b"null"), (200, b'"x"'), (502, b"Bad gateway"), (204, b"")],
        ids=["html", "nothing", "null", "text", "a gateway", "no content"],
    )
    def test_something_else_at_that_address_is_told(self, bench: Bench, status: int, reply: bytes) -> None:
        bench.stub.status, bench.stub.reply = status, reply

        answer = bench.run("status")

        assert (answer.status, answer.json["problem"]["title"]) == (502, "Unexpected answer")

    def test_a_redirect_is_not_followed(self, bench: Bench) -> None:
        """The token would go along."""
        bench.stub.status, bench.stub.headers = 302, {"Location": bench.stub.url + "/elsewhere"}

        answer = bench.run("status")

        assert answer.json["problem"]["title"] == "Unexpected answer"
        assert len(bench.stub.requests) == 1


class TestNoAnswer:
    def test_nobody_listening_is_told(self, bench: Bench) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            bench.config["mid.claude.sidecar.url"] = f"http://127.0.0.1:{closed.getsockname()[1]}"

        answer = bench.run("status")

        assert (answer.status, answer.json["problem"]["title"]) == (502, "Sidecar not reachable")
        assert "ConnectException" in answer.detail

    @pytest.mark.parametrize("op", ["command", "create", "credential.store"])
    def test_a_post_that_is_never_answered_is_sent_once(self, bench: Bench, op: str) -> None:
        """Java sends it again by itself unless it is told the length."""
        bench.stub.hang_up = True

        answer = bench.run(op, {"command": "x"} if op == "command" else {})

        assert (answer.status, answer.json["problem"]["title"]) == (504, "Connection to the sidecar lost")
        assert answer.detail.endswith("Whether it was done is not known.")
        assert len(bench.stub.requests) == 1

    @pytest.mark.parametrize("op", ["status", "outputs"])
    def test_of_a_call_that_changes_nothing_no_doubt_is_told(self, bench: Bench, op: str) -> None:
        bench.stub.hang_up = True

        answer = bench.run(op, {"pump": "p", "cursors": {}} if op == "outputs" else {})

        assert (answer.status, answer.json["problem"]["title"]) == (502, "Sidecar not reachable")

    def test_a_sidecar_that_is_too_slow_is_told(self, bench: Bench, tmp_path: Path) -> None:
        """With the time of one operation shortened: the others' differ in the number only."""
        source = INCLUDE.read_text(encoding="utf-8")
        pattern = "user: false, timeoutMs: 10000"
        assert pattern in source
        hasty = tmp_path / INCLUDE.name
        hasty.write_text(source.replace(pattern, "user: false, timeoutMs: 200"), encoding="utf-8")
        host = ProbeHost(hasty)
        bench.stub.free.clear()
        try:
            answer = host.run(bench.config, {"v": "1", "op": "health"})
            assert not bench.stub.free.is_set()  # the answer did not wait for the sidecar's
        finally:
            bench.stub.free.set()
            host.close()

        assert (answer.status, answer.json["problem"]["title"]) == (504, "Sidecar timed out")

    def test_a_call_that_waits_may_take_that_longer(self, bench: Bench, tmp_path: Path) -> None:
        source = INCLUDE.read_text(encoding="utf-8")
        hasty = tmp_path / INCLUDE.name
        hasty.write_text(source.replace("user: false, timeoutMs: 10000", "user: false, timeoutMs: 100"))
        host = ProbeHost(hasty)
        bench.stub.free.clear()
        later = threading.Timer(0.8, bench.stub.free.set)
        from_row = {"v": "1", "op": "outputs", "body": base64.b64encode(b'{"pump":"p","wait":20}').decode()}
        later.start()
        try:
            answer = host.run(bench.config, from_row)
        finally:
            later.join()
            host.close()

        assert answer.status == 200


class TestTheScriptItself:
    def test_no_proxy_is_used(self) -> None:
        """The MID has one for the instance; the sidecar's token must not pass it."""
        assert "openConnection(net.Proxy.NO_PROXY)" in INCLUDE.read_text(encoding="utf-8")

    def test_neither_the_token_nor_a_value_is_logged(self, bench: Bench) -> None:
        replying(bench, {"title": "No", "detail": "d"}, 500)

        answers = [bench.run("command", {"command": "marker-command"}), bench.run("nonsense")]

        assert [answer.logged for answer in answers] == [[], []]

    def test_rows_declare_nothing_that_hides_the_host(self) -> None:
        """A `var probe` at the top of a row's script would hide what the parameters are read from."""
        assert "var" not in SCRIPT
        assert SCRIPT.endswith(".execute();")

    def test_it_does_not_touch_what_no_mid_is_known_to_have(self) -> None:
        source = INCLUDE.read_text(encoding="utf-8")

        assert not [name for name in ("setOutput", "setError", "HTTPRequest") if name in source]

    def test_parameters_that_are_no_javascript_strings_are_understood(self) -> None:
        """They are Java strings here, as on a MID: every test of this file would fail otherwise."""
        told = ProbeHost(script="typeof probe.getParameter('op') + (probe.getParameter('none') === null);")
        try:
            assert told.run({}, {"op": "x"}).text == "objecttrue"
        finally:
            told.close()
