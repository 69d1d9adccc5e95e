"""Confinement by bubblewrap: own user, process, IPC and host-name namespaces, and an own file system."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sidecar.errors import IsolationUnavailable
from sidecar.isolation import mounts
from sidecar.isolation.confinement import Confinement, Launch, Limits, View, refuse_root
from sidecar.isolation.identity import GID, HOSTNAME, UID, Identity
from sidecar.isolation.programs import find, first_victim, probe

_VIEW = View(
    home=Path("/home/claude"), workspace=Path("/workspace"), executable=Path("/opt/claude/bin/claude")
)

#: A terminal in cooked mode sends these keys' signals to all of the foreground group, bwrap's monitor included;
#: it would die and take the session along (measured with 0.8.0). So it ignores them, and the child does not.
_KEY_SIGNALS = "INT,QUIT,TSTP"

_NAMESPACES = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
    # User namespaces inside would give the child fresh capabilities to attack the kernel with, and fresh counts
    # of processes.
    "--disable-userns",
    "--die-with-parent",
    *("--uid", str(UID), "--gid", str(GID), "--hostname", HOSTNAME),
)

_PROBE_LIMITS = Limits(memory_bytes=2**30, processes=64, file_bytes=2**20, scratch_bytes=2**20)

#: Part of what bwrap says, and what mends it.
_MENDS = {
    "Unknown option": "Install bubblewrap 0.8 or newer.",
    "uid map": "Let ordinary accounts make user namespaces: `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, "
    "or an AppArmor profile for bwrap that allows `userns`.",
    "new namespace": "Let ordinary accounts make user namespaces: `sysctl -w kernel.unprivileged_userns_clone=1` and "
    "`sysctl -w user.max_user_namespaces=10000`; in a container, allow them in its seccomp profile.",
    "mount proc": "In a container, give it an unmasked /proc (`systempaths=unconfined`).",
}


class Bubblewrap:
    """The default isolation.

    The network is the host's, so that the API can be reached: programs listening on loopback, and abstract Unix
    sockets, can be reached too. Memory is limited per process, not for the session as a whole.
    """

    name = "bubblewrap"

    def __init__(self, folder: Path) -> None:
        """Keep generated files in `folder`, which must not be visible to children; `check` writes them."""
        self._folder = folder
        self._identity = Identity(folder)

    def check(self) -> None:
        """Start a sandbox and look whether it is one.

        Raises:
            IsolationUnavailable: with bubblewrap's own words and how to mend it.
        """
        refuse_root()
        if mounts.within_system(self._folder):
            raise IsolationUnavailable(
                "The data directory is under /usr, which all sessions see. Choose another one."
            )
        try:
            self._identity.write()
            output, error = self._try()
        except OSError as failure:
            raise IsolationUnavailable(f"{self._folder} cannot be written: {failure.strerror}.") from failure
        if output != f"{UID}\n{GID}\n{HOSTNAME}":
            raise IsolationUnavailable(
                f"bubblewrap does not work here: {error or 'no reason given'}. {_mend(error)}"
            )

    def _try(self) -> tuple[str, str]:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            home, workspace = Path(folder, "home"), Path(folder, "workspace")
            home.mkdir()
            workspace.mkdir()
            confinement = Confinement(UUID(int=0), home, workspace, Path("/usr/bin/env"), _PROBE_LIMITS)
            command = (
                "/bin/sh",
                "-c",
                "touch /home/claude/x /workspace/x /tmp/x && id -u && id -g && uname -n",
            )
            return probe(self.launch(confinement, command).argv)

    def view(self, confinement: Confinement) -> View:  # noqa: ARG002  the same for every session
        """Return fixed paths: what the CLI stores under a path stays true when folders move."""
        return _VIEW

    def launch(self, confinement: Confinement, command: Sequence[str]) -> Launch:
        """Return the command line of a sandbox around `command`.

        No `--new-session`: the terminal is the session's own, and the kernel's resize signal must reach the child.
        Limits are set inside, because processes are counted per user namespace, and outside that would be the
        account's.
        """
        refuse_root()
        confinement.check_folders()
        argv = (
            # Whoever started the service with nohup ignores the hang-up, and a closed terminal would end nothing.
            *(find("env", "coreutils"), f"--ignore-signal={_KEY_SIGNALS}", "--default-signal=HUP"),
            *first_victim(),
            *(find("bwrap", "bubblewrap"), *_NAMESPACES, *self._files(confinement), "--"),
            # bwrap adds PWD, which is not in the allow-list.
            *("/usr/bin/env", "--unset=PWD", f"--default-signal={_KEY_SIGNALS}"),
            *("/usr/bin/prlimit", *confinement.limits.prlimit(), "--", *command),
        )
        return Launch(argv, Path("/"))

    def _files(self, confinement: Confinement) -> list[str]:
        return [
            *mounts.system(),
            *self._identity.mounts(),
            *mounts.scratch(confinement.limits.scratch_bytes),
            *("--bind", str(confinement.home), str(_VIEW.home)),
            *("--bind", str(confinement.workspace), str(_VIEW.workspace)),
            *("--ro-bind", str(confinement.program()), str(_VIEW.executable)),
            # Last: the root is a tmpfs without a limit of its own.
            *("--remount-ro", "/", "--chdir", str(_VIEW.workspace)),
        ]


def _mend(error: str) -> str:
    return next((mend for part, mend in _MENDS.items() if part in error), "See docs/troubleshooting.md.")
