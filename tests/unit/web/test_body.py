"""Output bytes as text, base64 as bytes."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import InvalidRequest
from sidecar.web.body import decoded, encoded


@given(st.binary(max_size=200))
def test_base64_goes_there_and_back(data: bytes) -> None:
    assert decoded(encoded(data, "base64"), "command") == data


@given(st.text(max_size=200))
def test_text_goes_out_as_it_is(text: str) -> None:
    data = text.encode("utf-8", "replace")
    assert encoded(data, "utf8").encode() == data


@given(st.binary(max_size=200))
def test_bytes_that_are_no_text_are_replaced_and_never_fail(data: bytes) -> None:
    assert encoded(data, "utf8") == data.decode("utf-8", "replace")


@given(st.text(max_size=40))
def test_what_is_no_base64_is_refused_with_its_field(text: str) -> None:
    try:
        data = decoded(text, "command")
    except InvalidRequest as error:
        problem = error.problems[0]
    else:
        assert base64.b64encode(data).decode() == text or data == base64.b64decode(text)
        return
    assert (problem.field, problem.message) == ("command", "is not base64")
