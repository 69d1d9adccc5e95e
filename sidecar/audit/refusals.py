"""Refused requests, of which there may be very many."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from uuid import UUID

from sidecar.clock import Clock
from sidecar.model.event import Note
from sidecar.origin import Origin, acting

#: Like refusals within this time are one entry.
_APART_S = 60.0
#: Kinds of refusals kept apart at a time. Above that, as when addresses are made up, they count together.
_MOST = 1000

Kind = tuple[int, str, str | None, str, str | None]


@dataclass(frozen=True)
class Refusal:
    """What was refused; those with the same `kind` are counted together."""

    status: int
    method: str
    #: The pattern of the address: an address itself may hold anything.
    route: str
    origin: Origin
    user_id: str | None = None
    session_id: UUID | None = None

    @property
    def kind(self) -> Kind:
        """Return what makes refusals alike. Of the user too: the service token speaks for many."""
        return self.status, self.origin.actor, self.origin.address, self.route, self.user_id

    def without_source(self) -> Refusal:
        """Return what is left when too many sources are to be told apart."""
        return Refusal(self.status, "any", "any", Origin("anonymous"))


@dataclass
class _Spell:
    """The first of some like refusals, when it was noted, and how many came after it."""

    refusal: Refusal
    began: float
    more: int = 0


class Refusals:
    """Notes the first of its kind at once, and once a minute how many like it came after."""

    def __init__(self, note: Note, clock: Clock) -> None:
        """Note by `note`."""
        self._note = note
        self._clock = clock
        self._spells: OrderedDict[Kind, _Spell] = OrderedDict()
        self._lock = threading.Lock()

    def refused(self, refusal: Refusal) -> None:
        """Note `refusal`, or count it."""
        with self._lock:
            over = self._over(_APART_S)
            fresh = self._count(refusal)
        for spell in over:
            self._tell(spell)
        if fresh is not None:
            self._tell(fresh)

    def flush(self, *, everything: bool = False) -> None:
        """Note the counts that are due; at the end of the service, `everything`."""
        with self._lock:
            over = self._over(0 if everything else _APART_S)
        for spell in over:
            self._tell(spell)

    def _count(self, refusal: Refusal) -> _Spell | None:
        """Count it; return its spell if it is the first one."""
        if refusal.kind not in self._spells and len(self._spells) >= _MOST:
            refusal = refusal.without_source()
        known = self._spells.get(refusal.kind)
        if known is not None:
            known.more += 1
            return None
        self._spells[refusal.kind] = first = _Spell(refusal, self._clock.monotonic())
        return replace(first)  # as it is now: others may count before it is told

    def _over(self, age_s: float) -> list[_Spell]:
        """Take out the spells that are `age_s` old, and return those that were more than one refusal."""
        bound = self._clock.monotonic() - age_s
        over = []
        while self._spells and next(iter(self._spells.values())).began <= bound:
            over.append(self._spells.popitem(last=False)[1])
        return [spell for spell in over if spell.more]

    def _tell(self, spell: _Spell) -> None:
        refusal = spell.refusal
        # What is told later was not done by the request that happens to make us look.
        with acting(replace(refusal.origin, request_id=None) if spell.more else refusal.origin):
            self._note(
                "request.refuse",
                user=refusal.user_id,
                session=refusal.session_id,
                status=refusal.status,
                method=refusal.method,
                route=refusal.route,
                **({"more": spell.more} if spell.more else {}),
            )
