"""Debian's Chromium without a window, and without a word to anybody outside this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PROGRAM = Path("/usr/bin/chromium")

#: Nothing it does by itself: no updates, no reports, no services of its makers. Names are not looked up at all.
_QUIET = (
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
#: The same pixels on every machine.
_EVEN = ("--force-color-profile=srgb", "--font-render-hinting=none", "--hide-scrollbars")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser; a window of its own is `new_context()`, which shares nothing with the others."""
    if not PROGRAM.exists():
        raise FileNotFoundError(f"{PROGRAM} is missing: run make setup")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=PROGRAM,
            args=[*_QUIET, *_EVEN],
            chromium_sandbox=os.geteuid() != 0,  # root cannot have one
        )
        try:
            yield browser
        finally:
            browser.close()
