"""Every payload becomes a call or an answer that says what is wrong with it; none becomes an exception."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.poller.answer import Answer
from sidecar.poller.operations import OPERATIONS
from sidecar.poller.row import Call, call, numbered
from tests.unit.poller.payload import KEY, SESSION, USER, parameters, payload, written


def refusal(text: str | None) -> str:
    """Return why a payload is refused; it must be."""
    answer = call(text)
    assert isinstance(answer, Answer)
    assert answer.problem is not None
    assert (answer.status, answer.problem["title"], answer.body) == (422, "Bad request", None)
    return str(answer.problem["detail"])


def made(text: str) -> Call:
    found = call(text)
    assert isinstance(found, Call), found
    return found


# -- what is asked ---------------------------------------------------------------------------------------


def test_parameters_become_the_url_and_the_body_in_the_order_of_the_table() -> None:
    backwards = {"encoding": "base64", "maxBytes": 10, "cursor": 842}

    assert made(payload("output", backwards)).path == (
        f"/api/session/{SESSION}/output?cursor=842&maxBytes=10&encoding=base64"
    )
    assert made(payload("resize", {"rows": 30, "columns": 100})).sent == b'{"columns":100,"rows":30}'


def test_user_and_key_become_headers() -> None:
    assert made(payload("terminate")).headers == {
        "X-User-ID": USER,
        "Idempotency-Key": KEY,
        "X-Request-ID": KEY,
    }
    assert made(payload("health", key="-")).headers == {}


def test_any_text_of_an_attribute_arrives() -> None:
    text = "ä \u2028 < & \" ' \t\r\n 😀 \x7f"
    sent = made(payload("command", {"command": text, "mode": "text"})).sent

    assert sent is not None
    assert sent.isascii()
    assert json.loads(sent) == {"command": text, "mode": "text", "maxBytes": 65536}


@pytest.mark.parametrize(
    ("asked", "sent"),
    [(None, 65536), (10, 10), (1 << 30, 65536), ("much", 65536), (True, 65536), (10**400, 65536)],
    ids=["none", "few", "many", "a text", "a flag", "400 digits"],
)
def test_no_more_output_is_asked_for_than_fits(asked: object, sent: int) -> None:
    assert f"maxBytes={sent}" in made(payload("output", {"maxBytes": asked})).path


@pytest.mark.parametrize(
    ("op", "body", "seconds"),
    [
        ("status", {}, 15),
        ("output", {"wait": 20}, 35),
        ("command", {"command": "x", "waitMs": 1500}, 31.5),
        ("output", {"wait": 1e300}, 135),
        ("output", {"wait": -9}, 15),
        ("output", {"wait": 10**400}, 15),
        ("output", {"wait": "long"}, 15),
    ],
)
def test_it_waits_as_long_as_the_row_does_but_never_for_ever(op: str, body: Any, seconds: float) -> None:
    assert made(payload(op, body)).read_s == seconds


def test_a_command_with_a_number_is_put_in_order_by_the_sidecar() -> None:
    text = {"command": "x", "mode": "text"}

    assert numbered(payload("command", text | {"stream": "t", "seq": 1}))
    assert not numbered(payload("command", text))
    assert not numbered(payload("command", text | {"stream": "t", "seq": None}))
    assert not numbered("garbage")


# -- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "The payload is too long."),
        ("<p>" + "x" * 200_001, "The payload is too long."),
        ("", "The payload is not XML."),
        ("hello", "The payload is not XML."),
        ("<parameters>", "The payload is not XML."),
        ('<p a="\ud800"/>', "The payload is not XML."),
        ('<!DOCTYPE p [<!ENTITY e "x">]><p>&e;</p>', "The payload declares a document type."),
        ('<!DOCTYPE p SYSTEM "file:///etc/passwd"><p/>', "The payload declares a document type."),
        ("<p>" + "<a/>" * 100 + "</p>", "The payload has too many elements."),
        ("<p>" + '<parameter name="v" value="1"/>' * 2 + "</p>", "The payload has a parameter twice."),
        ("<p/>", "v must be 1: the app and the poller have different versions."),
        ('<?xml version="1.0" encoding="utf-16"?><p>', "The payload is not XML."),
        *(
            (f'<?xml version="1.0" encoding="{name}"?><p/>', "v must be 1: the app and the poller")
            for name in ("foo", "hex", "rot13", "undefined", "idna", "cp037")
        ),
    ],
    ids=lambda value: str(value)[-40:].encode("ascii", "replace").decode(),
)
def test_what_is_no_row_of_ours_is_refused(text: str | None, why: str) -> None:
    assert refusal(text).startswith(why)


@pytest.mark.parametrize(
    ("op", "more", "why"),
    [
        ("status", {"v": "2"}, "v must be 1: the app and the poller have different versions."),
        ("job.submit", {}, "op is not one of the operations of this poller."),
        ("__class__", {}, "op is not one of the operations of this poller."),
        ("status", {"session": "../health"}, "session is not a UUID."),
        ("status", {"session": SESSION + "\n"}, "session is not a UUID."),
        ("status", {"session": "-"}, "session is not a UUID."),
        ("credential.delete", {}, "credentialId is not a UUID."),
        ("status", {"user": "-"}, "user is missing or malformed."),
        ("status", {"user": "a\r\nX-Evil: 1"}, "user is missing or malformed."),
        ("status", {"key": "a b"}, "key is missing or malformed."),
        ("terminate", {"key": "-"}, "key is missing or malformed."),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_cannot_be_done_is_refused(op: str, more: dict[str, str], why: str) -> None:
    assert refusal(payload(op, **more)).startswith(why)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xff%", "body is not the base64 of JSON."),
        (b"[" * 100_000, "body is not the base64 of JSON."),
        (b'{"a":NaN}', "body is not the base64 of JSON."),
        (b'{"a":' + b"9" * 5000 + b"}", "body is not the base64 of JSON."),
        (b"[]", "body is not a JSON object."),
        (b'{"x":1}', "body has a field that this operation does not know."),
        (b'{"command":1e999}', "body cannot be written."),
    ],
    ids=["bytes", "deep", "NaN", "long number", "list", "unknown", "infinite"],
)
def test_a_body_that_cannot_be_sent_is_refused(body: bytes, why: str) -> None:
    op = "command" if b"command" in body else "status"

    assert refusal(payload(op, base64.b64encode(body).decode())) == why


def test_a_body_that_is_not_coded_is_refused() -> None:
    assert refusal(payload("status", "%%%")) == "body is not the base64 of JSON."


@pytest.mark.parametrize("value", [[1], {"a": 1}], ids=["list", "object"])
def test_a_parameter_of_the_url_is_a_plain_value(value: object) -> None:
    assert refusal(payload("list", {"state": value})) == "state is not a plain value."


def test_a_field_that_is_null_is_left_out() -> None:
    assert made(payload("list", {"limit": None, "state": "x&y"})).path == "/api/sessions?state=x%26y"


# -- anything at all ---------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(sorted({name for operation in OPERATIONS.values() for name in operation.known}))


@given(text=st.text(max_size=200) | st.text(alphabet='<>&;"=/!? parmetsnvlu', max_size=200))
@example(text="<parameters/>")
@settings(max_examples=60)
def test_no_text_raises(text: str) -> None:
    refusal(text)


@given(op=st.sampled_from(sorted(OPERATIONS)), body=JSON | st.dictionaries(NAMES, JSON, max_size=6))
@settings(max_examples=120)
def test_no_body_raises(op: str, body: Any) -> None:
    found = call(payload(op, body))

    if isinstance(found, Answer):
        assert found.status == 422
    else:
        assert found.path.isascii()
        assert " " not in found.path


@given(
    name=st.sampled_from(["v", "op", "user", "session", "key", "body"]),
    value=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40),
)
@settings(max_examples=60)
def test_no_parameter_raises(name: str, value: str) -> None:
    found = call(written(parameters("terminate") | {name: value.replace("\ufffe", "").replace("\uffff", "")}))

    headers = "" if isinstance(found, Answer) else "".join(found.headers.values())
    assert headers.isascii()
    assert headers.isprintable()
