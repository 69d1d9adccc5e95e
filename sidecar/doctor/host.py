"""The host: account, CLI, isolation, memory, limits of the kernel, and the clock."""

from __future__ import annotations

import os
import pwd
import resource
import tempfile
from pathlib import Path

from sidecar.clock import Clock
from sidecar.config import Identity, Settings
from sidecar.doctor.finding import Verdict, fault, good, warning
from sidecar.errors import IsolationUnavailable
from sidecar.isolation import NoIsolation, isolation_named
from sidecar.sessions import program

#: Memory of one running session; measured with the real CLI.
_SESSION_BYTES = 250_000_000
#: Descriptors of a session (terminal, pipes) and of a request (socket, database), and those held at all times.
_SESSION_FILES, _REQUEST_FILES, _BASE_FILES = 4, 2, 100
#: Threads and processes of one session, the CLI's own and a tool or two.
_SESSION_TASKS = 30
#: This program was not there before.
_FIRST_YEAR = 2026


def check_account(identity: Identity) -> Verdict:
    """Tell as whom we run; root has been given up by now."""
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"number {number}, which has no name here"
    started = "" if name == identity.user else f"; started as root the service would become {identity.user}"
    return good(f"examined as {name}{started}")


def check_claude(identity: Identity) -> Verdict:
    """Look for the CLI and ask for its version."""
    found = program.examine(program.locate(identity.claude_path))
    place = f" ({found.path})" if found.path else ""
    if not found.usable:
        return fault(
            f"{found.problem}{place}", "Run `make setup`, or set CLAUDE_PATH to the Claude Code executable."
        )
    if found.problem:
        return warning(f"{found.problem}{place}", "`npm ci` beside the installation installs the tested one.")
    return good(f"version {found.version}{place}")


def check_isolation(settings: Settings) -> Verdict:
    """Start a sandbox, as every session will be."""
    place = settings.data_dir
    kept = place if place.is_dir() and os.access(place, os.W_OK) else None
    try:
        # Not in the service's own folder, whose files a running service has in use.
        with tempfile.TemporaryDirectory(prefix="doctor-", dir=kept) as folder:
            isolation = isolation_named(settings.isolation, Path(folder, "isolation"))
            isolation.check()
    except IsolationUnavailable as error:
        return fault(error.detail, "The words above name the mend; no session is started without isolation.")
    except OSError as error:
        return fault(
            f"no file can be written for the trial: {error.strerror}", "See the findings on the disk."
        )
    if isolation.name == NoIsolation.name:
        return warning(
            "sessions run with all rights of the service's account",
            "Set ISOLATION=bubblewrap, unless a container for each user does the confining.",
        )
    return good(f"{isolation.name} confines")


def check_memory(settings: Settings) -> Verdict:
    """Compare the memory of all allowed sessions with what there is."""
    needed, present = settings.max_sessions * _SESSION_BYTES, _memory()
    told = f"{settings.max_sessions} sessions need {needed >> 20} MiB, there are {present >> 20} MiB"
    if needed > present:
        fitting = max(1, present * 8 // 10 // _SESSION_BYTES)
        return warning(told, f"Set MAX_SESSIONS={fitting} or less, or add memory; idle sessions need none.")
    return good(told)


def _memory() -> int:
    """Return the bytes this process may use: the host's, or a container's limit."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(total, _group_limit("memory.max") or total)


def _group_limit(name: str) -> int | None:
    """Return the lowest limit of our control groups, as a container or a systemd unit sets it."""
    limits: list[int] = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, _, path = line.split(":", 2)
        if number == "0":
            folder = Path("/sys/fs/cgroup", path.lstrip("/"))
            for place in (folder, *folder.parents):
                limits += _number(place / name)
    return min(limits, default=None)


def _number(path: Path) -> list[int]:
    try:
        text = path.read_text().strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []


def check_files(settings: Settings) -> Verdict:
    """Compare the limit on open files with what all sessions and threads need."""
    needed = _BASE_FILES + settings.max_sessions * _SESSION_FILES + settings.threads * _REQUEST_FILES
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < needed:
        return fault(
            f"{limit} files may be open, {needed} are needed for MAX_SESSIONS and SIDECAR_THREADS",
            f"`ulimit -n {needed}` before the start, or LimitNOFILE={needed} in the systemd unit.",
        )
    return good(f"{limit if limit >= 0 else 'any number of'} files may be open, {needed} are needed")


def check_processes(settings: Settings) -> Verdict:
    """Compare the limit on processes with what all sessions need."""
    needed = settings.threads + settings.max_sessions * _SESSION_TASKS
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    limits = [limit for limit in (soft, _group_limit("pids.max")) if limit is not None and limit >= 0]
    limit = min(limits, default=None)
    if limit is not None and limit < needed:
        return warning(
            f"{limit} processes and threads may run, {needed} are needed for MAX_SESSIONS",
            f"`ulimit -u {needed}` before the start, TasksMax={needed} in the systemd unit, or --pids-limit of the "
            "container.",
        )
    return good(f"{'any number of' if limit is None else limit} processes may run, {needed} are needed")


def check_clock(clock: Clock) -> Verdict:
    """Look whether the clock was ever set."""
    now = clock.now()
    if now.year < _FIRST_YEAR:
        return fault(
            f"it is said to be {now:%Y-%m-%d}, which is before this program was made",
            "Set the clock: `timedatectl set-ntp true`.",
        )
    return good(f"{now:%Y-%m-%d %H:%M:%S} UTC")
