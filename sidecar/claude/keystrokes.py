"""Input as the CLI expects it: pasted text, named keys."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.errors import InvalidRequest

ENTER = b"\r"
_PASTE_BEGIN = "\x1b[200~"
_PASTE_END = "\x1b[201~"
#: C0 controls that text may hold; all others would be keys.
_ALLOWED_CONTROLS = frozenset("\n\r\t")

#: Named keys; the sequences are xterm's, in its normal cursor mode.
KEYS: dict[str, bytes] = {
    "Enter": b"\r",
    "Escape": b"\x1b",
    "Tab": b"\t",
    "S-Tab": b"\x1b[Z",
    "Space": b" ",
    "Backspace": b"\x7f",
    "Delete": b"\x1b[3~",
    "Insert": b"\x1b[2~",
    "Up": b"\x1b[A",
    "Down": b"\x1b[B",
    "Right": b"\x1b[C",
    "Left": b"\x1b[D",
    "Home": b"\x1b[H",
    "End": b"\x1b[F",
    "PageUp": b"\x1b[5~",
    "PageDown": b"\x1b[6~",
    "M-Enter": b"\x1b\r",
    **{f"C-{chr(96 + number)}": bytes([number]) for number in range(1, 27)},
    **{f"F{number}": code for number, code in enumerate([b"\x1bOP", b"\x1bOQ", b"\x1bOR", b"\x1bOS"], 1)},
}


def key_bytes(names: Sequence[str]) -> bytes:
    """Return the bytes of named keys; a single printable character stands for itself.

    Raises:
        InvalidRequest: a name is not known.
    """
    return b"".join(_key(index, name) for index, name in enumerate(names))


def _key(index: int, name: str) -> bytes:
    if name in KEYS:
        return KEYS[name]
    if len(name) == 1 and name.isprintable():
        return name.encode()
    known = "Enter, Escape, Tab, S-Tab, Up, Down, Left, Right, C-a … C-z, a single character"
    raise InvalidRequest.of(
        f"command.{index}", f"unknown key name; use one of {known} or another of the docs"
    )


def checked_text(text: str) -> str:
    """Return `text` without one trailing newline.

    Raises:
        InvalidRequest: it holds a control character that would act as a key.
    """
    text = text.removesuffix("\n").removesuffix("\r")
    bad = next((char for char in text if ord(char) < 32 and char not in _ALLOWED_CONTROLS), None)
    if bad is not None:
        raise InvalidRequest.of(
            "command", f'text may not hold the control character 0x{ord(bad):02x}; use mode "keys" or "raw"'
        )
    return text


def paste(text: str) -> bytes:
    """Return `text` as a bracketed paste: line ends stay inside, nothing is submitted.

    ESC inside the text goes, or a marker there would end the paste early and the rest be typed as keys; taking
    out whole markers would let nested ones close up to new ones. `checked_text` refuses ESC anyway.
    """
    return (_PASTE_BEGIN + text.replace("\x1b", "") + _PASTE_END).encode()
