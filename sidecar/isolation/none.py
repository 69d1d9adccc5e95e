"""No confinement: for hosts that are a sandbox already. Chosen explicitly, never fallen back to."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.errors import IsolationUnavailable
from sidecar.isolation.confinement import Confinement, Launch, Limits, View, refuse_root
from sidecar.isolation.programs import find, first_victim, probe

_PROBE_LIMITS = Limits(memory_bytes=2**30, processes=64, file_bytes=2**20, scratch_bytes=2**20)


class NoIsolation:
    """Runs a child as it is, with limits per process, without new privileges, and dying with its parent.

    The child can read all that the service's account can read. Its number of processes is not limited: without a
    user namespace the kernel counts those of the whole account, so one session could stop all others. What it
    leaves running in the background survives it; `processes.kill_tagged` finds that.
    """

    name = "none"

    def check(self) -> None:
        """Try the helpers.

        Raises:
            IsolationUnavailable: this process is root, or one of them is missing or does not run.
        """
        refuse_root()
        output, error = probe((*_wrap(_PROBE_LIMITS), "/bin/sh", "-c", "echo ready"))
        if output != "ready":
            raise IsolationUnavailable(f"setpriv and prlimit do not work here: {error}. Install util-linux.")

    def view(self, confinement: Confinement) -> View:
        """Return the host's own paths; the executable with its links resolved."""
        return View(confinement.home, confinement.workspace, confinement.program())

    def launch(self, confinement: Confinement, command: Sequence[str]) -> Launch:
        """Return `command` with the limits in front."""
        refuse_root()
        confinement.check_folders()
        confinement.program()
        return Launch((*_wrap(confinement.limits), *command), confinement.workspace)


def _wrap(limits: Limits) -> tuple[str, ...]:
    return (
        *(find("setpriv", "util-linux"), "--no-new-privs", "--pdeathsig", "KILL"),
        # A service started in the background by a shell, or with nohup, ignores these, and its children would too.
        *(find("env", "coreutils"), "--default-signal=INT,QUIT,TSTP,HUP"),
        *first_victim(),
        *(find("prlimit", "util-linux"), *limits.prlimit(processes=False), "--"),
    )
