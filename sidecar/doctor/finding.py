"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"  #: as it should be
    WARN = "warn"  #: the service works, but somebody should know
    FAIL = "fail"  #: the service does not work, or is not safe
    SKIP = "skip"  #: not examined, because something it needs is broken itself


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check. Neither text holds a secret."""

    level: Level
    #: What is the case.
    detail: str
    #: A command or a setting that mends it; empty where there is nothing to mend.
    mend: str = ""


@dataclass(frozen=True)
class Finding:
    """The outcome of a check, with the check's name."""

    name: str
    level: Level
    detail: str
    mend: str = ""

    @classmethod
    def of(cls, name: str, verdict: Verdict) -> Finding:
        """Return the finding that `verdict` is for the check `name`."""
        return cls(name, verdict.level, verdict.detail, verdict.mend)


def good(detail: str) -> Verdict:
    """Return that all is well."""
    return Verdict(Level.OK, detail)


def warning(detail: str, mend: str) -> Verdict:
    """Return that the service works, and what somebody should know."""
    return Verdict(Level.WARN, detail, mend)


def fault(detail: str, mend: str) -> Verdict:
    """Return that the service does not work, or is not safe."""
    return Verdict(Level.FAIL, detail, mend)


def skipped(detail: str) -> Verdict:
    """Return that something was not examined, and why."""
    return Verdict(Level.SKIP, detail)


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return one verdict for several things: of those that are worst all, else what was said of the first."""
    order = (Level.FAIL, Level.WARN, Level.SKIP, Level.OK)
    level = min((verdict.level for verdict in verdicts), key=order.index)
    if level is Level.OK:
        return verdicts[0]
    bad = [verdict for verdict in verdicts if verdict.level is level]
    mends = dict.fromkeys(verdict.mend for verdict in bad if verdict.mend)
    return Verdict(level, " ".join(verdict.detail for verdict in bad), " ".join(mends))
