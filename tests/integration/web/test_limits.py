"""Every limit of the contract's Conventions and Sessions sections, just below and just above it."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from sidecar.web import create_app
from tests.fixtures.services import TOKEN, MakeServices
from tests.integration.web.api import Api

LONGEST_USER = "a" * 64


def fields(response: Any) -> list[str]:
    """Return the fields a 422 names."""
    assert response.status_code == 422, response.text
    return [item["field"] for item in response.get_json(force=True)["errors"]]


# -- create ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user_id", ["a", "_", "-a", "7", "A.b-c_9", "a.b.c", LONGEST_USER])
def test_a_legal_user_id_may_create(api: Api, user_id: str) -> None:
    session = api.create(userId=user_id)
    status = api.get(f"/api/session/{session}/status", headers={"X-User-ID": user_id})
    assert status.json["userId"] == user_id


BAD_NAMES = [
    "",
    ".",
    "..",
    ".a",
    "a..b",
    "a" * 65,
    "a b",
    "a/b",
    "../a",
    "a\\b",
    "a\n",
    "a\x00",
    "ä",
    "a%2fb",
    "~",
    "a\u200b",
]


@pytest.mark.parametrize("user_id", BAD_NAMES)
def test_an_illegal_user_id_is_refused(api: Api, user_id: str) -> None:
    assert fields(api.made(userId=user_id)) == ["userId"]


@pytest.mark.parametrize("user_id", [name for name in BAD_NAMES if name.isascii() and name.isprintable()])
def test_an_illegal_user_in_the_header_is_refused(api: Api, user_id: str) -> None:
    assert fields(api.get("/api/sessions", headers={"X-User-ID": user_id})) == ["X-User-ID"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", ["isolated", "persistent"])
def test_a_workspace_name_that_climbs_or_is_odd_is_refused(api: Api, name: str, kind: str) -> None:
    assert fields(api.made(workspaceName=name, workspaceType=kind)) == ["workspaceName"]


def test_the_longest_workspace_name_is_taken(api: Api) -> None:
    session = api.create(workspaceName="w" * 64, workspaceType="persistent")
    assert api.get(f"/api/session/{session}/status").json["workspaceName"] == "w" * 64


@pytest.mark.parametrize("size", [(1, 1), (500, 500), (1, 500), (500, 1)])
def test_sizes_from_1_to_500_are_taken(api: Api, session: str, size: tuple[int, int]) -> None:
    columns, rows = size
    created = api.made(columns=columns, rows=rows, waitMs=0)
    assert (created.json["columns"], created.json["rows"]) == size
    resized = api.post(f"/api/session/{session}/resize", {"columns": columns, "rows": rows})
    assert (resized.json["columns"], resized.json["rows"]) == size


@pytest.mark.parametrize("bad", [0, 501, -1, 10**20, 1.5, "80", None, True, [80], {"x": 1}])
@pytest.mark.parametrize("field", ["columns", "rows"])
def test_other_sizes_are_refused(api: Api, session: str, field: str, bad: object) -> None:
    size: dict[str, object] = {"columns": 80, "rows": 24, field: bad}
    assert fields(api.post("/api/session/create", api.wanted() | size)) == [field]
    assert fields(api.post(f"/api/session/{session}/resize", size)) == [field]


def test_a_resize_needs_both_numbers(api: Api, session: str) -> None:
    assert fields(api.post(f"/api/session/{session}/resize", {"columns": 80})) == ["rows"]


@pytest.mark.parametrize("wait", [0, 25_000])
def test_a_create_may_wait_up_to_25_s(api: Api, wait: int) -> None:
    assert api.made(waitMs=wait).status_code == 201


@pytest.mark.parametrize("wait", [-1, 25_001, 1.5, "1", None])
def test_a_create_may_not_wait_longer_than_25_s(api: Api, wait: object) -> None:
    assert fields(api.post("/api/session/create", api.wanted() | {"waitMs": wait})) == ["waitMs"]


@pytest.mark.parametrize("key", ["k" * 8, "k" * 512, "sk-ant-!~"])
def test_keys_of_8_to_512_visible_characters_are_taken(api: Api, key: str) -> None:
    assert api.made(credentials={"anthropicApiKey": key}, waitMs=0).status_code == 201


@pytest.mark.parametrize(
    "key", ["", "k" * 7, "k" * 513, "sk-ant- x", "sk-ant-\n--", "sk-ant-\x00--", "sk-ant-ä-", 12345678]
)
def test_other_keys_are_refused_without_being_told(api: Api, key: object) -> None:
    response = api.made(credentials={"anthropicApiKey": key})
    assert fields(response) == ["credentials.anthropicApiKey"]
    assert not key or str(key) not in response.text


def test_a_create_without_any_key_is_refused(api: Api) -> None:
    assert fields(api.made(credentials=None)) == ["credentials"]


@pytest.mark.parametrize("model", ["a", "claude-opus-4-1", "us.anthropic.claude-x:0", "opus[1m]", "m" * 128])
def test_model_names_of_1_to_128_characters_are_taken(api: Api, model: str) -> None:
    assert api.made(model=model, waitMs=0).status_code == 201


@pytest.mark.parametrize(
    "model", ["", "m" * 129, "--dangerously-skip-permissions", "-m", "a b", "a\n", "a;b", "é"]
)
def test_other_model_names_are_refused(api: Api, model: str) -> None:
    assert fields(api.made(model=model)) == ["model"]


@pytest.mark.parametrize(
    "bad", ["", "x", "not-a-uuid", 7, "00000000-0000-0000-0000-00000000000g", "../../etc/passwd"]
)
def test_a_client_chosen_id_must_be_a_uuid(api: Api, bad: object) -> None:
    assert fields(api.made(sessionId=bad)) == ["sessionId"]


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("workspaceType", "shared"),
        ("renderer", "none"),
        ("renderer", 1),
        ("credentials", "key"),
        ("credentials", []),
        ("userId", 5),
    ],
)
def test_values_of_another_kind_are_refused(api: Api, field: str, bad: object) -> None:
    assert fields(api.made(**{field: bad})) == [field]


# -- command ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["x" * 16_384, "ä" * 8_192, "😀" * 4_096])
def test_a_text_of_16384_bytes_is_taken_and_a_longer_one_is_not(api: Api, session: str, text: str) -> None:
    assert api.command(session, text).json["accepted"] is True
    assert api.command(session, text + "x").status_code == 413


def test_16384_raw_bytes_are_taken_and_one_more_is_not(api: Api, session: str) -> None:
    def encoded(length: int) -> str:
        return base64.b64encode(b"\x00" * length).decode()

    assert api.command(session, encoded(16_384), mode="raw").status_code == 200
    assert api.command(session, encoded(16_385), mode="raw").status_code == 413


def test_keys_of_16384_bytes_are_taken_and_one_more_is_not(api: Api, session: str) -> None:
    assert api.command(session, ["Up"] * 5_461 + ["Tab"], mode="keys").status_code == 200
    assert api.command(session, ["Up"] * 5_461 + ["Tab", "x"], mode="keys").status_code == 413


@pytest.mark.parametrize("bad", ["no base64", "YQ", "YQ==\n", "Y Q==", "ä", "YQ=a", "-_-_"])
def test_raw_input_is_strict_base64(api: Api, session: str, bad: str) -> None:
    assert fields(api.command(session, bad, mode="raw")) == ["command"]


@pytest.mark.parametrize("bad", ["enter", "C-1", "F5", "Enter\n", "ab", "", "\n", "\x1b", "\x00"])
def test_an_unknown_key_name_is_refused(api: Api, session: str, bad: str) -> None:
    assert fields(api.command(session, ["Up", bad], mode="keys")) == ["command.1"]


@pytest.mark.parametrize("code", [code for code in range(32) if chr(code) not in "\n\r\t"])
def test_text_with_a_control_character_is_refused(api: Api, session: str, code: int) -> None:
    assert fields(api.command(session, f"a{chr(code)}b")) == ["command"]


def test_text_with_newline_return_and_tab_is_taken(api: Api, session: str) -> None:
    assert api.command(session, "a\tb\r\nc\nd").json["submitted"] is True


@pytest.mark.parametrize("bad", [5, None, {"a": 1}, [["Up"]], [1], True])
def test_a_command_of_another_kind_is_refused(api: Api, session: str, bad: object) -> None:
    assert fields(api.post(f"/api/session/{session}/command", {"command": bad, "mode": "keys"}))


def test_a_list_is_not_text(api: Api, session: str) -> None:
    assert fields(api.command(session, ["Up"])) == ["command"]
    assert fields(api.command(session, ["Up"], mode="raw")) == ["command"]


def test_a_command_may_wait_25_s_but_not_longer(api: Api, session: str) -> None:
    answer = api.command(session, "hello", waitMs=25_000)
    assert "You said: hello" in answer.json["output"]["data"]
    assert fields(api.command(session, "hello", waitMs=25_001)) == ["waitMs"]


@pytest.mark.parametrize("more", [{"stream": "s"}, {"seq": 1}])
def test_stream_and_seq_belong_together(api: Api, session: str, more: dict[str, Any]) -> None:
    assert fields(api.command(session, "a", **more)) == ["seq"]


@pytest.mark.parametrize(("stream", "seq"), [("s", 1), ("s" * 64, 1)])
def test_the_first_number_of_a_stream_is_1(api: Api, session: str, stream: str, seq: int) -> None:
    assert api.command(session, ["Left"], mode="keys", stream=stream, seq=seq).status_code == 200


@pytest.mark.parametrize(
    ("stream", "seq", "field"),
    [
        ("", 1, "stream"),
        ("s" * 65, 1, "stream"),
        ("a b", 1, "stream"),
        ("s", 0, "seq"),
        ("s", 2**53 + 1, "seq"),
        ("s", -1, "seq"),
    ],
)
def test_odd_streams_and_numbers_are_refused(
    api: Api, session: str, stream: str, seq: int, field: str
) -> None:
    assert fields(api.command(session, "a", stream=stream, seq=seq)) == [field]


# -- output, outputs, list -------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", ["0", "25", "0.01"])
def test_an_output_call_may_wait_up_to_25_s(api: Api, session: str, wait: str) -> None:
    assert (
        api.get(f"/api/session/{session}/output?wait={wait}").status_code == 200
    )  # there is output: no waiting


BAD_WAITS = ["26", "25.001", "-1", "nan", "inf", "-inf", "NaN", "x", "", "1e9"]


@pytest.mark.parametrize("wait", BAD_WAITS)
def test_an_output_call_may_not_wait_longer(api: Api, session: str, wait: str) -> None:
    assert fields(api.get(f"/api/session/{session}/output?wait={wait}")) == ["wait"]


@pytest.mark.parametrize("size", [4, 1 << 20])
def test_an_answer_has_4_bytes_to_1_mib(api: Api, session: str, size: int) -> None:
    response = api.get(f"/api/session/{session}/output?maxBytes={size}&encoding=base64")
    assert len(base64.b64decode(response.json["data"])) <= size


@pytest.mark.parametrize("size", ["3", "0", "-4", str((1 << 20) + 1), "1" * 5000, "x"])
def test_other_sizes_of_answers_are_refused(api: Api, session: str, size: str) -> None:
    assert fields(api.get(f"/api/session/{session}/output?maxBytes={size}")) == ["maxBytes"]


@pytest.mark.parametrize("cursor", ["0", "5", str(2**62)])
def test_a_cursor_is_any_offset(api: Api, session: str, cursor: str) -> None:
    response = api.get(f"/api/session/{session}/output?cursor={cursor}")
    assert response.json["cursor"] == int(cursor)


@pytest.mark.parametrize("cursor", ["-1", str(2**62 + 1), "9" * 5000, "1.5", "x", "0x10"])
def test_other_cursors_are_refused(api: Api, session: str, cursor: str) -> None:
    assert fields(api.get(f"/api/session/{session}/output?cursor={cursor}")) == ["cursor"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("encoding", "latin1"), ("clear", "maybe"), ("since", "1"), ("Cursor", "1"), ("max_bytes", "9")],
)
def test_odd_parameters_of_output_are_refused(api: Api, session: str, name: str, value: str) -> None:
    assert fields(api.get(f"/api/session/{session}/output?{name}={value}")) == [name]


def test_a_parameter_given_twice_is_refused(api: Api, session: str) -> None:
    assert fields(api.get(f"/api/session/{session}/output?cursor=1&cursor=2")) == ["cursor"]


def test_a_list_has_up_to_100_items(api: Api) -> None:
    for limit in (1, 100):
        assert api.get(f"/api/sessions?limit={limit}").json["limit"] == limit
    for bad in ("0", "101", "-1", "x"):
        assert fields(api.get(f"/api/sessions?limit={bad}")) == ["limit"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("offset", "-1"), ("offset", str(2**31 + 1)), ("state", "dead"), ("state", ""), ("user", "bob")],
)
def test_odd_parameters_of_a_list_are_refused(api: Api, name: str, value: str) -> None:
    assert fields(api.get(f"/api/sessions?{name}={value}")) == [name]


def pump(**changes: Any) -> dict[str, Any]:
    return {"pump": "p", "wait": 0, "maxBytes": 4, "cursors": {str(uuid4()): 0}, **changes}


def test_a_pump_call_at_its_limits_is_answered(api: Api) -> None:
    most = {str(uuid4()): 2**62 for _ in range(1000)}
    assert len(api.post("/api/outputs", pump(cursors=most)).json["sessions"]) == 1000
    assert api.post("/api/outputs", pump(pump="p" * 128, wait=25, maxBytes=1 << 20)).status_code == 200


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("pump", ""),
        ("pump", "p" * 129),
        ("wait", 25.001),
        ("wait", -1),
        ("wait", "1"),
        ("wait", float("nan")),
        ("wait", float("inf")),
        ("maxBytes", 3),
        ("maxBytes", (1 << 20) + 1),
        ("cursors", {str(UUID(int=number)): 0 for number in range(1001)}),
        ("cursors", []),
        ("cursors", None),
    ],
)
def test_a_pump_call_over_its_limits_is_refused(api: Api, field: str, bad: object) -> None:
    assert set(fields(api.post("/api/outputs", pump(**{field: bad})))) == {field}


@pytest.mark.parametrize(
    "cursors", [{"x": 0}, {str(uuid4()): -1}, {str(uuid4()): 2**62 + 1}, {str(uuid4()): "0"}]
)
def test_a_pump_call_with_odd_cursors_is_refused(api: Api, cursors: dict[str, object]) -> None:
    assert fields(api.post("/api/outputs", pump(cursors=cursors)))[0].startswith("cursors.")


# -- numbers of sessions ---------------------------------------------------------------------------------


@pytest.fixture
def small(make_services: MakeServices) -> Flask:
    """Return an application with room for two sessions of a user, three in all."""
    return create_app(make_services(max_sessions_per_user=2, max_sessions=3))


def test_one_session_more_than_a_user_may_have_is_refused_and_an_end_makes_room(small: Flask) -> None:
    api = Api(small.test_client(), TOKEN, "jane")
    first = api.create()
    api.create()
    refused = api.made()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert api.delete(f"/api/session/{first}").status_code == 200
    assert api.made().status_code == 201


def test_one_session_more_than_all_may_have_is_refused(small: Flask) -> None:
    client = small.test_client()
    for user in ("ann", "ben", "cleo"):
        Api(client, TOKEN, user).create()
    refused = Api(client, TOKEN, "dora").made()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
