"""The instance as the poller sees it: two resources, one to claim rows and one to answer them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sidecar import __version__
from sidecar.errors import AccountRefused, InstanceAway, PollerUnknown, RoleMissing
from sidecar.poller.login import REFUSED, Login
from sidecar.poller.wire import Lost, Reply, Request, Wire

_CLAIM = "/api/x_claude_terminal/v1/bridge/claim"
_COMPLETE = "/api/x_claude_terminal/v1/bridge/complete"
_TIMEOUT_S = 20.0
#: A poller that is about to end does not wait longer to say so.
_FAREWELL_S = 3.0
#: The title of its problem when the name is none of its pollers'.
_UNKNOWN = "Unknown poller"
#: Most rows the instance gives at once.
MOST_ROWS = 50
#: So many rows of the greatest length, were every character of them escaped, in bytes.
LONGEST_CLAIM = 64 << 20
_SYS_ID = re.compile(r"[0-9a-f]{32}")
_LONGEST_LEASE_S = 600.0

Body = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row of the queue that was given to us."""

    #: Its sys_id.
    id: str
    #: How often it was given to anybody, with this time.
    attempt: int
    #: Rows of the same order are worked off one after the other; those without one in parallel.
    order: str = ""
    #: None when the instance found it too long to send.
    payload: str | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, int]:
        """Return what tells this attempt from all others."""
        return self.id, self.attempt


@dataclass(frozen=True)
class Claim:
    """The answer to a claim."""

    rows: tuple[Row, ...]
    #: Rows we said we held, which somebody else has by now.
    lost: frozenset[str]
    lease_s: float
    #: How many people look at a terminal of this poller.
    viewers: int


class Outcome(StrEnum):
    """What became of an answer."""

    ANSWERED = "answered"  #: it stands in the queue, by this call or by an earlier one
    LOST = "lost"  #: the row is somebody else's by now; nothing was written
    REFUSED = "refused"  #: the instance does not take this answer


class Instance:
    """Asks and answers. It keeps nothing between calls, and repeats only what was refused for an old token."""

    def __init__(self, wire: Wire, login: Login, name: str, owner: str) -> None:
        """Speak for the poller `name`; `owner` is this one process of it."""
        self._wire = wire
        self._login = login
        self._name = name
        self._owner = owner

    @property
    def address(self) -> str:
        """Return where the instance is."""
        return self._wire.base

    def claim(
        self,
        held: Iterable[Row],
        limit: int,
        *,
        left: Iterable[Row] = (),
        look: bool = False,
        leaving: bool = False,
    ) -> Claim:
        """Ask for at most `limit` rows, keep those that are `held`, and let the leases of those that are `left` end.

        With `look` nothing is given or written; with `leaving` the poller says good-bye.

        Raises:
            InstanceAway: no answer that helps; try again.
            AccountRefused, RoleMissing: the account may not do this; trying again would not help.
            PollerUnknown: the instance knows no poller of this name.
        """
        body = {
            **self._head,
            "version": __version__,
            "limit": min(limit, MOST_ROWS),
            "held": [_named(row) for row in held] + [_named(row) | {"expire": True} for row in left],
            "look": look,
            "leaving": leaving,
        }
        reply = self._call(_CLAIM, body, _FAREWELL_S if leaving else _TIMEOUT_S)
        if reply.status == 422 and _title(reply) == _UNKNOWN:
            raise PollerUnknown(
                f"The instance does not know a poller named {self._name} (HTTP status 422): POLLER_NAME must be one "
                "of the names in the property x_claude_terminal.mids."
            )
        return _claim(_result(reply))

    def complete(self, row: Row, output: str, error: str) -> Outcome:
        """Answer a row, with what went wrong in one line.

        Raises:
            InstanceAway: no answer that helps; try again.
            AccountRefused, RoleMissing: the account may not do this; trying again would not help.
        """
        body = {**self._head, "row": row.id, "attempt": row.attempt, "output": output, "error": error}
        reply = self._call(_COMPLETE, body, _TIMEOUT_S)
        if reply.status in (404, 409):
            return Outcome.LOST
        if reply.status in (400, 413, 422):
            return Outcome.REFUSED
        _result(reply)
        return Outcome.ANSWERED

    def close(self) -> None:
        """Close the connections that were kept."""
        self._wire.close()

    @property
    def _head(self) -> Body:
        return {"name": self._name, "owner": self._owner}

    def _call(self, path: str, body: Body, timeout_s: float) -> Reply:
        """Return an answer other than 401 and 403; a token that has just ended is renewed once."""
        sent = json.dumps(body).encode("ascii")
        header = self._login.header()
        reply = self._once(path, sent, header, timeout_s)
        if reply.status == 401 and self._login.renew(header):
            reply = self._once(path, sent, self._login.header(), timeout_s)
        if reply.status == 401:
            raise AccountRefused(REFUSED)
        if reply.status == 403 and reply.error is not None:
            raise RoleMissing(
                "The instance does not let the poller's account claim rows (HTTP status 403): give it the role "
                "x_claude_terminal.bridge."
            )
        return reply

    def _once(self, path: str, sent: bytes, header: str, timeout_s: float) -> Reply:
        headers = {"Authorization": header, "Content-Type": "application/json"}
        reply = self._wire.call(Request("POST", path, headers, sent, timeout_s))
        if isinstance(reply, Lost):
            raise InstanceAway(f"The instance does not answer: {reply.fault} ({reply.kind}).")
        return reply


# -- what comes back: never trusted, and never repeated in a text ------------------------------------------


def _result(reply: Reply) -> Mapping[str, Any]:
    if reply.status != 200:
        away = _told(reply.status)
        raise InstanceAway(away, retry_after_s=reply.retry_after_s, busy=reply.status == 429)
    try:
        result = json.loads(reply.content)["result"]
    except (ValueError, TypeError, KeyError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise InstanceAway("What answers at the instance's address is not the app: no JSON with a result.")
    return result


def _named(row: Row) -> Body:
    return {"row": row.id, "attempt": row.attempt}


def _title(reply: Reply) -> object:
    error = reply.error
    return error.get("title") if isinstance(error, dict) else None


def _told(status: int) -> str:
    if status in (400, 413, 422):
        return f"The instance does not understand the poller (HTTP status {status}): they have different versions."
    more = {
        403: ": not in the platform's words, so a proxy may have said it",
        404: ": is the app installed there, and new enough?",
        429: ": too many requests",
    }
    return f"The instance answered with HTTP status {status}{more.get(status, '')}."


def _claim(result: Mapping[str, Any]) -> Claim:
    try:
        return Claim(
            tuple(_row(row) for row in result["rows"]),
            frozenset(str(row) for row in result["lost"]),
            _lease_s(float(result["leaseSeconds"])),
            int(result["viewers"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise InstanceAway("The instance's answer to a claim is not of this version's form.") from None


def _lease_s(told: float) -> float:
    if not told > 0:
        raise ValueError("leaseSeconds")
    return min(told, _LONGEST_LEASE_S)


def _row(given: Mapping[str, Any]) -> Row:
    order, payload = given["order"], given["payload"]
    if not isinstance(order, str) or not isinstance(payload, str | None):
        raise ValueError("row")  # noqa: TRY004  one kind for whatever is wrong
    if not _SYS_ID.fullmatch(given["row"]):
        raise ValueError("row")
    return Row(given["row"], int(given["attempt"]), order, payload)
