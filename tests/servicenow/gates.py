"""A loop whose poller reaches instance and sidecar through gates, and what the queue tells of its work."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from emulator.midserver import Account, Sidecar
from emulator.poller import Poller
from emulator.servicenow import Row
from tests.fakes.gate import Gate, Reply, gated
from tests.fakes.queue import Queue
from tests.fakes.tap import Passed
from tests.fixtures.loop import Loop
from tests.fixtures.servicenow import poller_account, running
from tests.servicenow.conftest import Desk
from tests.servicenow.terminal import PATIENCE_S, Terminal
from tests.servicenow.test_loop import parameters
from tests.waiting import until

CLAIM, COMPLETE, COMMAND = "/bridge/claim", "/bridge/complete", "/command"
#: Before all that happens in a test, and after what `expire` writes.
_NEW, _LONG_AGO = "2026-01-02 00:00:00", "2026-01-01 00:00:00"


@dataclass(frozen=True)
class Post:
    """A poller between two gates."""

    loop: Loop
    instance: Gate
    sidecar: Gate
    folder: Path

    @property
    def poller(self) -> Poller:
        """Return the loop's own poller."""
        return self.loop.poller

    @property
    def desk(self) -> Desk:
        """Return the app's tables."""
        return Desk(self.loop.admin, Queue(self.loop.admin), {})

    def another(self, name: str = "", account: Account | None = None, **settings: str) -> Poller:
        """Return one more poller at the same gates, not started; of the same name unless told otherwise."""
        token = self.poller.home / "claude-token"
        found = account or poller_account(self.loop.admin)
        at_gate = Account(self.instance.url, found.user, found.password)
        home = self.folder / uuid4().hex[:8]
        return Poller(home, name or self.poller.name, at_gate, Sidecar(self.sidecar.url, token), **settings)

    @contextmanager
    def beside(self, other: Poller) -> Iterator[Poller]:
        """Run another poller until the end."""
        with running(other):
            yield other
        self.mend()

    def mend(self) -> None:
        """Open the gates, and have the loop's own poller run and be known to run."""
        self.instance.open()
        self.sidecar.open()
        if not self.poller.program.running:
            self.poller.start()
        self.loop.alice.await_mid(self.poller.name)

    def rest(self) -> None:
        """End the loop's own poller, and what it waits for."""
        self.poller.kill9()
        self.instance.drop()
        self.sidecar.drop()

    def expire(self) -> None:
        """Let all leases run out."""
        self.desk.change("claim", f"leased_until>{_NEW}", leased_until=_LONG_AGO)

    # -- what the queue tells --------------------------------------------------------------------------

    def commands(self, terminal: Terminal) -> list[str]:
        """Return the session's rows that are commands, by their sys_ids."""
        rows = self.loop.rows(f"queue=output^agent_correlator={terminal.session}")
        return [row["sys_id"] for row in rows if parameters(row)["op"] == "command"]

    def claims(self, *rows: str) -> list[Row]:
        """Return the claims of rows, the first attempts first."""
        return self.desk.rows("claim", f"queue_rowIN{','.join(rows)}^ORDERBYattempt")

    def answers(self, row: str) -> list[Row]:
        """Return the inputs that answer a row."""
        return self.loop.admin.table("ecc_queue").rows(f"queue=input^response_to={row}")

    def assert_answered_once(self, terminal: Terminal) -> None:
        """Fail unless every row of the session gets exactly one answer."""
        session = f"agent_correlator={terminal.session}"

        def counted() -> dict[str, int]:
            answers = Counter(row["response_to"] for row in self.loop.rows(f"queue=input^{session}"))
            outputs = self.loop.rows(f"queue=output^{session}")
            return {row["sys_id"]: answers[row["sys_id"]] for row in outputs}

        assert until(lambda: set(counted().values()) == {1}, PATIENCE_S), counted()


def is_command(terminal: Terminal, passed: Passed) -> bool:
    """Tell whether a call of the sidecar is a command of the session."""
    return passed.path.endswith(f"{terminal.session}{COMMAND}")


def claimed(reply: Reply, terminal: Terminal) -> list[str]:
    """Return the session's commands that a claim has just given."""
    rows = json.loads(reply.body)["result"]["rows"] if reply.status == 200 else []
    own = [row for row in rows if row["order"] == terminal.session]
    return [row["row"] for row in own if '"op" value="command"' in (row["payload"] or "")]


@contextmanager
def posted(loop: Loop, folder: Path) -> Iterator[Post]:
    """Put the loop's poller between gates until the end."""
    with ExitStack() as stack:
        instance = stack.enter_context(gated(loop.platform.url))
        sidecar = stack.enter_context(gated(loop.sidecar.url))
        loop.poller.stop()
        loop.poller.configure(SERVICENOW_INSTANCE=instance.url, POLLER_SIDECAR_URL=sidecar.url)
        yield Post(loop, instance, sidecar, folder)
