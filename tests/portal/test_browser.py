"""The watch over real pages sees what it should: otherwise every other test here could not fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Error

from tests.fixtures.browser import REFUSALS, Complaints
from tests.waiting import until

PAGES = {
    "console": "<script>console.error('a fault')</script>",
    "exception": "<script>setTimeout(function () { nothing.at.all(); })</script>",
    "missing": "<img src='/missing.png'>",
    "outside": "<img src='http://outside.example/a.png'>",
    "good": "<p>Good morning</p><script>console.log('all is well')</script>",
}


class Pages(BaseHTTPRequestHandler):
    """Answers with one of the pages."""

    def do_GET(self) -> None:
        page = PAGES.get(self.path[1:])
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write((page or "").encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def pages() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def complaints(browser: Browser, pages: str) -> Iterator[Complaints]:
    """Return what the pages in a window complain about; `visit` them first."""
    context = browser.new_context()
    found = Complaints()
    found.watch(context)
    page = context.new_page()
    for name in PAGES:
        page.goto(f"{pages}/{name}")
        page.wait_for_load_state("networkidle")
    yield found
    context.close()


def test_whatever_a_page_complains_about_is_heard(complaints: Complaints) -> None:
    heard = "\n".join(complaints.made)

    assert "console: a fault" in heard
    assert "nothing is not defined" in heard
    assert "left this machine: GET http://outside.example/a.png" in heard
    assert REFUSALS.search(heard)
    assert "all is well" not in heard


def test_only_what_is_expected_passes(complaints: Complaints) -> None:
    complaints.expect(REFUSALS)

    assert not REFUSALS.search("\n".join(complaints.unexpected))
    assert any("a fault" in one for one in complaints.unexpected)


def test_no_name_is_looked_up(browser: Browser, pages: str) -> None:
    page = browser.new_page()
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto(pages.replace("127.0.0.1", "localhost"))
    page.close()
    assert until(lambda: not browser.contexts)
