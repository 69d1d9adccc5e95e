"""`claude-sidecar keys`: make, list and revoke API keys."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sidecar.cli.account import records
from sidecar.cli.form import command, seconds
from sidecar.cli.table import columns
from sidecar.clock import SystemClock
from sidecar.errors import InvalidRequest, NotFound
from sidecar.model.caller import ApiKey, Scope

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_NOUN = """\
An API key lets one user use the HTTP API and the pages, as far as its scopes go. All of this works while the service
runs, and takes effect at once.

  claude-sidecar keys create --user jane --name "jane's laptop" --scope sessions
  claude-sidecar keys list
  claude-sidecar keys revoke 0123456789abcdef
"""

_CREATE = """\
Make a key and print it, on standard output and nowhere else. It is stored as a hash only: nobody can show it again.

  claude-sidecar keys create --user jane --name "jane's laptop" --scope sessions
  KEY=$(claude-sidecar keys create --user jane --name nightly --scope sessions --scope jobs --expires 30d)
  curl -H "Authorization: Bearer $KEY" http://127.0.0.1:3000/api/sessions

scopes:
  sessions   terminals of the user, and the user's stored credentials
  jobs       headless jobs of the user
  workflows  workflows of the user
  admin      list and end anybody's sessions and jobs, without reading their output
"""

_LIST = """\
List keys, oldest first, also revoked and expired ones. The time of the last use is exact to a minute.

  claude-sidecar keys list --user jane
  claude-sidecar keys list --json | jq -r '.[] | select(.state == "valid" and .expiresAt == null) | .id'
"""

_REVOKE = """\
Revoke a key at once and for good. Who is signed in with it is signed out; a call that waits with it ends without its
answer. Sessions it created go on: `claude-sidecar sessions end --user …` ends them.

  claude-sidecar keys revoke 0123456789abcdef
"""

_HEADER = ("ID", "USER", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "STATE")
#: Units a distance in time is told in, each in seconds.
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def add(commands: Commands) -> None:
    """Add the commands."""
    noun = command(commands, "keys", "make, list and revoke API keys", _list, _NOUN)
    verbs = noun.add_subparsers(required=True, metavar="VERB")
    making = command(verbs, "create", "make a key and print it", _create, _CREATE)
    making.add_argument("--user", required=True, help="whose key it is")
    making.add_argument("--name", required=True, help="what to call it in the list")
    making.add_argument(
        "--scope", required=True, action="append", choices=[*Scope], help="what it is for; may be repeated"
    )
    making.add_argument(
        "--expires", type=_lifetime, default="90d", metavar="TIME", help="such as 12h or 30d, or never (90d)"
    )
    listing = command(verbs, "list", "list keys with their scopes and states", _list, _LIST)
    listing.add_argument("--user", help="only this user's")
    listing.add_argument("--json", action="store_true", help="print one JSON array")
    revoking = command(verbs, "revoke", "revoke a key at once", _revoke, _REVOKE)
    revoking.add_argument("id", metavar="ID", help="as `keys list` shows it")


def _lifetime(text: str) -> timedelta | None:
    if text == "never":
        return None
    try:
        return timedelta(seconds=seconds(text))
    except OverflowError:
        raise argparse.ArgumentTypeError("is too long; use never") from None


# -- create ------------------------------------------------------------------------------------------------


def _create(parsed: argparse.Namespace) -> int:
    with records() as found:
        scopes = [Scope(name) for name in parsed.scope]
        key, text = found.api_keys.issue(parsed.user, parsed.name, scopes, _end(parsed.expires))
    print(text)
    print(
        f"Key {key.id} of {key.user_id} {_expiry(key, SystemClock().now())}. "
        "It cannot be shown again: keep it where only its user can read it.",
        file=sys.stderr,
    )
    return 0


def _expiry(key: ApiKey, now: datetime) -> str:
    return "never expires" if key.expires_at is None else f"expires {_distance(key.expires_at, now)}"


def _end(lifetime: timedelta | None) -> datetime | None:
    try:
        return None if lifetime is None else SystemClock().now() + lifetime
    except OverflowError:
        raise InvalidRequest.of("--expires", "is too long; use never") from None


# -- list --------------------------------------------------------------------------------------------------


def _list(parsed: argparse.Namespace) -> int:
    with records() as found:
        keys = found.api_keys.list(parsed.user)
    now = SystemClock().now()
    if parsed.json:
        print(json.dumps([_as_object(key, now) for key in keys], indent=2))
    elif keys:
        print(columns(_HEADER, [_as_row(key, now) for key in keys]))
    else:
        print("There are no such keys.", file=sys.stderr)
    return 0


def _as_row(key: ApiKey, now: datetime) -> tuple[str, ...]:
    return (
        key.id,
        key.user_id,
        key.name,
        ",".join(sorted(key.scopes)),
        f"{key.created_at:%Y-%m-%d}",
        _distance(key.expires_at, now),
        _distance(key.last_used_at, now),
        _state(key, now),
    )


def _as_object(key: ApiKey, now: datetime) -> dict[str, object]:
    return {
        "id": key.id,
        "userId": key.user_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "createdAt": key.created_at.isoformat(),
        "expiresAt": key.expires_at and key.expires_at.isoformat(),
        "lastUsedAt": key.last_used_at and key.last_used_at.isoformat(),
        "revokedAt": key.revoked_at and key.revoked_at.isoformat(),
        "state": _state(key, now),
    }


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "valid" if key.valid(now) else "expired"


def _distance(when: datetime | None, now: datetime) -> str:
    """Tell how far off a time is: `in 30 days`, `2 hours ago`, `never`."""
    if when is None:
        return "never"
    seconds_off = round((when - now).total_seconds())
    unit, size = next((item for item in _UNITS if abs(seconds_off) >= item[1]), ("minute", 60))
    count = round(abs(seconds_off) / size)
    if count == 0:
        return "now"
    text = f"{count} {unit}{'s' if count != 1 else ''}"
    return f"in {text}" if seconds_off > 0 else f"{text} ago"


# -- revoke ------------------------------------------------------------------------------------------------


def _revoke(parsed: argparse.Namespace) -> int:
    try:
        with records() as found:
            fresh = found.api_keys.revoke(parsed.id)
    except NotFound:
        # What was typed is not repeated: it could be a whole key.
        raise NotFound(
            "There is no key of this id. The id has 16 hex digits; `keys list` shows it."
        ) from None
    print("The key is revoked." if fresh else "The key was revoked before.", file=sys.stderr)
    return 0
