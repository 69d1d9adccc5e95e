"""The colours that the three widgets share can be read, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.portal.colours import contrast

STYLE = Path(__file__).resolve().parents[2] / "servicenow-app" / "styles" / "claude-terminal.css"
READABLE = 4.5
#: What can be told apart without being read, such as a border that shows where the keys go.
VISIBLE = 3.0

#: Text, and what it stands on.
TEXTS = [
    *((text, ground) for text in ("text", "muted", "link") for ground in ("bg", "panel", "raised")),
    ("on-button", "button"),
    *((tone, ground) for tone in ("good", "warn", "bad") for ground in (f"{tone}-bg", "panel")),
    *(("text", f"{tone}-bg") for tone in ("good", "warn", "bad")),
]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = STYLE.read_text().split("@media (prefers-color-scheme: dark)", 1)
    return {"light": colours(light), "dark": colours(dark)}


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--ct-([a-z-]+): (#[0-9a-f]{6});", css))


def test_both_palettes_name_the_same_colours() -> None:
    both = palettes()

    assert both["light"].keys() == both["dark"].keys()
    assert len(both["light"]) >= 16


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_can_be_read(palette: str, text: str, ground: str) -> None:
    named = palettes()[palette]

    assert contrast(named[text], named[ground]) >= READABLE


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize("ground", ["bg", "panel", "raised"])
def test_where_the_keys_go_can_be_seen(palette: str, ground: str) -> None:
    named = palettes()[palette]

    assert contrast(named["focus"], named[ground]) >= VISIBLE
