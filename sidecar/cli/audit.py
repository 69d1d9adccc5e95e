"""`claude-sidecar audit`: show, export and check the audit trail."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sidecar.audit.chain import verify
from sidecar.cli.account import records
from sidecar.cli.form import command
from sidecar.clock import SystemClock
from sidecar.errors import SidecarError
from sidecar.model.event import Entry, Search
from sidecar.records import Records
from sidecar.storage.audit import LOWEST, AuditStore

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_ABOUT = """\
Show who did what: the newest entries that fit, newest last. Times are UTC.

  claude-sidecar audit --since 2h --user jane
  claude-sidecar audit --action 'session.*' --actor 'key:*' --limit 20
  claude-sidecar audit --session 6f0c6a52-6a0f-4b0e-9d53-0d4bb4f5d9a1 --limit 0
  claude-sidecar audit --since 2026-11-20 --until 2026-11-21 --limit 0 --json > day.jsonl
  claude-sidecar audit --after 4711 --limit 0 --json --follow
                                               for a collector: all behind entry 4711, and what comes, as lines
  claude-sidecar audit --verify                check that nothing was changed; exit status 1 if something was

A running service stores its events within a fifth of a second. What one that was killed has left in its spool is
stored by the next start, and not shown before.
"""
#: Pause between two looks for new entries.
_LOOK_S = 1.0
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_ROW = "{:>7}  {:23}  {:20}  {:17}  {:12}  {:36}  {}"
_HEAD = ("number", "time", "actor", "action", "user", "session", "detail")

Show = Callable[[Entry], str]


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "audit", "show, export and check the audit trail", run, _ABOUT)
    parser.add_argument(
        "--since", type=moment, metavar="TIME", help="2h, 30m, 7d, 2026-11-20, 2026-11-20T08:30"
    )
    parser.add_argument(
        "--until", type=moment, metavar="TIME", help="the same; that time itself is not included"
    )
    parser.add_argument("--user", help="whose sessions or keys")
    parser.add_argument("--session", type=_session, metavar="ID", help="which session")
    parser.add_argument("--action", help="such as session.create or 'session.*'")
    parser.add_argument("--actor", help="service, system, anonymous, key:ID, cli:ACCOUNT, or 'key:*'")
    parser.add_argument("--limit", type=_limit, default=100, metavar="N", help="the newest N (100); 0 = all")
    parser.add_argument("--after", type=_limit, metavar="NUMBER", help="only entries behind this one")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--follow", action="store_true", help="go on with new entries until Ctrl-C")
    parser.add_argument("--verify", action="store_true", help="check the whole trail instead")


def run(arguments: argparse.Namespace) -> int:
    """Show entries, or check all of them; return the exit status."""
    with records() as found:
        if arguments.verify:
            return _verify(found.audit)
        try:
            _show(found, arguments)
        except ValueError:
            raise SidecarError(
                "an entry cannot be read; --verify names the first that is not as it was"
            ) from None
    return 0


def _show(found: Records, arguments: argparse.Namespace) -> None:
    store = found.audit
    show: Show = _as_json if arguments.json else _as_row
    search = Search(
        since=arguments.since,
        until=arguments.until,
        user_id=arguments.user,
        session_id=arguments.session,
        action=arguments.action,
        actor=arguments.actor,
        after=arguments.after,
    )
    if not arguments.json:
        print(_ROW.format(*_HEAD))
    end = store.last()  # before: what comes meanwhile is shown by following, or not at all
    if arguments.limit:
        _print(store.newest(search, arguments.limit, end), show)
    else:
        _print(store.between(LOWEST, end, search), show)
    while arguments.follow:
        found.clock.sleep(_LOOK_S)
        latest = store.last()
        _print(store.between(end, latest, search), show)
        end = latest


def _print(entries: Iterable[Entry], show: Show) -> None:
    for entry in entries:
        print(show(entry), flush=True)


def _verify(store: AuditStore) -> int:
    verdict = verify(store)
    if verdict.fault is not None:
        print(f"entry {verdict.fault.number}: {verdict.fault.why} {verdict.entries} entries before it fit.")
        return 1
    if verdict.head is None:
        print("The trail is empty.")
        return 0
    print(
        f"{verdict.entries} entries fit. The newest is number {verdict.head.number}, {verdict.head.digest.hex()}."
    )
    if verdict.dropped:
        print(
            f"{verdict.dropped} events were lost before they could be stored; `--action audit.drop` tells when."
        )
    return 0


# -- how an entry looks ------------------------------------------------------------------------------------


def _as_json(entry: Entry) -> str:
    return json.dumps(entry.document())


def _as_row(entry: Entry) -> str:
    event = entry.event
    at = event.at.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    session = "-" if event.session_id is None else str(event.session_id)
    facts = [f"{name}={_fact(value)}" for name, value in event.detail.items() if value is not None]
    if event.request_id is not None:
        facts.append(f"request={_safe(event.request_id)}")
    names = (_safe(event.actor), _safe(event.action), _safe(event.user_id or "-"))
    return _ROW.format(entry.number, at, *names, session, " ".join(facts)).rstrip()


def _fact(value: str | int | bool | None) -> str:
    return json.dumps(value) if not isinstance(value, str) or " " in value else _safe(value)


def _safe(text: str) -> str:
    """Return `text` without what a terminal would obey."""
    shown = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
    return shown.encode("ascii", "backslashreplace").decode()


# -- what is typed -----------------------------------------------------------------------------------------


def moment(text: str, now: datetime | None = None) -> datetime:
    """Return the time that `text` names: so long ago, or a date with or without a time of day, UTC if not said.

    Raises:
        ArgumentTypeError: it names none.
    """
    now = now or SystemClock().now()
    ago = re.fullmatch(r"(\d{1,9})([smhd])", text)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write 30m, 2h or 7d (so long ago), 2026-11-20, or 2026-11-20T08:30"
        ) from None


def _session(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no session id") from None


def _limit(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)
