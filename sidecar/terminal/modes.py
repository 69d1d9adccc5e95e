"""Which modes a program has set: what its keys, its mouse and its pastes are to look like, and where it draws."""

from __future__ import annotations

from collections.abc import Iterable

#: The alternate screen; 47 and 1047 are its older numbers.
ALTERNATE = "1049"
#: The mouse is told in one way or not at all: setting one ends the others, and ending any ends it.
_TRACKING = frozenset({"9", "1000", "1002", "1003"})
#: The same for how its places are coded.
_CODING = frozenset({"1005", "1006", "1015", "1016"})
#: Cursor keys, origin, focus, brackets around a paste.
_ALONE = frozenset({"1", "6", "1004", "2004"})
#: Private modes that matter to who repaints the screen, and which the rendered screen itself does not have.
KEPT = _TRACKING | _CODING | _ALONE


class Modes:
    """The private modes of one terminal, as far as they are known. Does not act on them."""

    def __init__(self) -> None:
        """Begin as terminals do: with none."""
        self._known: dict[str, bool] = {}
        self.reset()

    def reset(self) -> None:
        """Take all back, as the program's full reset does."""
        self._known = dict.fromkeys((ALTERNATE, *sorted(KEPT, key=int)), False)

    def forget(self) -> None:
        """Know nothing: the program began before what is seen of it."""
        self._known.clear()

    def take(self, numbers: Iterable[str], *, on: bool) -> None:
        """Note that the program turned modes on or off."""
        for number in numbers:
            for group in (_TRACKING, _CODING):
                if number in group:
                    self._known.update(dict.fromkeys(group, False))
            self._known[number] = on

    @property
    def buffer(self) -> str:
        """Return what brings a terminal to the screen the program draws on."""
        known = self._known.get(ALTERNATE)
        return "" if known is None else _switch([ALTERNATE], on=known)

    @property
    def ansi(self) -> str:
        """Return what sets the other modes in a terminal, whatever it had; those not known stay as they are."""
        others = [(number, on) for number, on in self._known.items() if number != ALTERNATE]
        # What is off comes first: it would end its like.
        off = _switch([number for number, on in others if not on], on=False)
        return off + _switch([number for number, on in others if on], on=True)


def _switch(numbers: list[str], *, on: bool) -> str:
    return f"\x1b[?{';'.join(numbers)}{'h' if on else 'l'}" if numbers else ""
