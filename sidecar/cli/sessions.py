"""`claude-sidecar sessions list` and `sessions end`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sidecar.cli import account
from sidecar.cli.ending import end_all
from sidecar.cli.form import command
from sidecar.cli.table import columns
from sidecar.errors import ConfigurationError, NotFound
from sidecar.model.session import Session, SessionState
from sidecar.records import Records

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_NOUN = """\
See who has which sessions, and end them. Nobody's output can be read here.

  claude-sidecar sessions list
  claude-sidecar sessions end --user jane
"""

_LIST = """\
List sessions from the database, oldest first; the service may be running or not. Without --state only those that
have not ended are shown.

  claude-sidecar sessions list
  claude-sidecar sessions list --user jane --state all
  claude-sidecar sessions list --json | jq -r '.[] | select(.state == "running") | .sessionId'
"""

_END = """\
End sessions for good: their programs are killed, files of isolated ones are removed; output and recording stay for
SESSION_RETENTION. A running service is asked to do it. If none runs, it is written into the database, and the next
start removes the files.

On a terminal you are asked first; elsewhere --yes is needed. The exit status is 1 if one could not be ended.

  claude-sidecar sessions end 3f0c6f6e-6a8c-4f43-9d0c-0f2b8b1f0a11
  claude-sidecar sessions end --user jane
  claude-sidecar sessions end --all --yes
"""

_OPEN = tuple(state for state in SessionState if not state.ended)
_HEADER = ("ID", "USER", "STATE", "WORKSPACE", "CREATED", "LAST ACTIVITY", "REASON")


def add(commands: Commands) -> None:
    """Add the commands."""
    noun = command(commands, "sessions", "list sessions, or end them", _list, _NOUN)
    verbs = noun.add_subparsers(required=True, metavar="VERB")
    listing = command(verbs, "list", "list sessions with their users and states", _list, _LIST)
    listing.add_argument("--user", help="only this user's")
    listing.add_argument(
        "--state",
        choices=["all", *SessionState],
        help="only those in this state; `all` also shows ended ones",
    )
    listing.add_argument("--json", action="store_true", help="print one JSON array")
    ending = command(verbs, "end", "end sessions for good", _end, _END)
    which = ending.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "ids", nargs="*", type=_session_id, metavar="ID", default=[], help="the sessions to end"
    )
    which.add_argument("--user", help="all of this user")
    which.add_argument("--all", action="store_true", help="all of all users")
    ending.add_argument("--yes", action="store_true", help="do not ask")


def _session_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no session id; `sessions list` shows them") from None


# -- list --------------------------------------------------------------------------------------------------


def _list(parsed: argparse.Namespace) -> int:
    with account.records() as records:
        found = _chosen(records, _states(parsed.state), parsed.user)
    if parsed.json:
        print(json.dumps([_as_object(session) for session in found], indent=2))
    elif found:
        print(columns(_HEADER, [_as_row(session) for session in found]))
    else:
        print("There are no such sessions.", file=sys.stderr)
    return 0


def _states(named: str | None) -> Sequence[SessionState]:
    if named is None:
        return _OPEN
    return tuple(SessionState) if named == "all" else (SessionState(named),)


def _chosen(records: Records, states: Sequence[SessionState], user: str | None) -> list[Session]:
    return [session for session in records.sessions.in_states(states) if user in (None, session.user_id)]


def _as_row(session: Session) -> tuple[str, ...]:
    return (
        str(session.id),
        session.user_id,
        session.state,
        f"{session.workspace_type}/{session.workspace_name}",
        f"{session.created_at:%Y-%m-%d %H:%M}",
        f"{session.last_activity_at:%Y-%m-%d %H:%M}",
        session.reason or "",
    )


def _as_object(session: Session) -> dict[str, object]:
    return {
        "sessionId": str(session.id),
        "userId": session.user_id,
        "state": session.state,
        "workspaceType": session.workspace_type,
        "workspaceName": session.workspace_name,
        "createdAt": session.created_at.isoformat(),
        "lastActivityAt": session.last_activity_at.isoformat(),
        "endedAt": session.ended_at.isoformat() if session.ended_at else None,
        "reason": session.reason,
    }


# -- end ---------------------------------------------------------------------------------------------------


def _end(parsed: argparse.Namespace) -> int:
    with account.records() as records:
        found, missing = _targets(records, parsed)
        for session_id in missing:
            print(f"{session_id}: there is no such session", file=sys.stderr)
        if not found:
            print("There is nothing to end.", file=sys.stderr)
            return int(bool(missing))
        _confirm(found, sure=parsed.yes)
        failed = end_all(records, found)
    return int(bool(failed or missing))


def _targets(records: Records, parsed: argparse.Namespace) -> tuple[list[Session], list[UUID]]:
    """Return the sessions to end, and the ids of those that do not exist."""
    if not parsed.ids:
        return _chosen(records, _OPEN, parsed.user), []
    found, missing = [], []
    for session_id in dict.fromkeys(parsed.ids):
        try:
            found.append(records.sessions.get(session_id))
        except NotFound:
            missing.append(session_id)
    return found, missing


def _confirm(found: Sequence[Session], *, sure: bool) -> None:
    if sure:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("Nobody can be asked here: add --yes.")
    what = "this session" if len(found) == 1 else f"these {len(found)} sessions"
    print(columns(_HEADER, [_as_row(session) for session in found]), file=sys.stderr)
    print(f"End {what} for good? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfigurationError("Nothing was ended.")
