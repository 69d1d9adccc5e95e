"""Bytes of a terminal: base64 and UTF-8, unchanged."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given as any_
from hypothesis import settings
from hypothesis import strategies as st

from tests.portal.unit.conftest import Page


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 255, 256, 1000])
def test_base64_becomes_bytes(page: Page, length: int) -> None:
    data = bytes(i % 256 for i in range(length))
    said = page.run(
        "return Array.prototype.slice.call(ns.Bytes.decoded(given.text));",
        text=base64.b64encode(data).decode(),
    )

    assert bytes(said) == data


@pytest.mark.parametrize("text", ["a", "abcde", "====", "ab=c", "a===", "äöüß", "\x1b[1m", "YQ==YQ=="])
def test_what_is_no_base64_is_refused(page: Page, text: str) -> None:
    said = page.run(
        "try { return Array.prototype.slice.call(ns.Bytes.decoded(given.text)); } catch (e) { return e.title; }",
        text=text,
    )

    assert said == "Fault"


@settings(max_examples=50)
@any_(data=st.binary(max_size=300))
def test_bytes_become_base64(page: Page, data: bytes) -> None:
    assert (
        page.run("return ns.Bytes.encoded(given.bytes);", bytes=list(data)) == base64.b64encode(data).decode()
    )


@settings(max_examples=50)
@any_(text=st.text(max_size=50), most=st.integers(4, 60))
def test_text_is_measured_and_cut_as_it_is_coded(page: Page, text: str, most: int) -> None:
    said: Any = page.run(
        """
        var end = ns.Bytes.fitting(given.text, given.most);
        return {utf8: ns.Bytes.utf8(given.text), size: ns.Bytes.size(given.text),
            head: ns.Bytes.utf8(given.text.substring(0, end)), tail: ns.Bytes.utf8(given.text.substring(end))};
        """,
        text=text,
        most=most,
    )

    assert bytes(said["utf8"]) == text.encode()
    assert said["size"] == len(text.encode())
    assert bytes(said["head"] + said["tail"]) == text.encode()
    bytes(said["head"]).decode()  # no character was cut
    assert len(said["head"]) <= most
    assert len(said["head"]) > most - 4 or not said["tail"]
