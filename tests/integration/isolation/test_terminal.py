"""A session on a real terminal, in each isolation."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pexpect

from sidecar.isolation import Confinement
from sidecar.isolation.processes import signal_program

Start = Callable[[Confinement, str], "pexpect.spawn[str]"]

LOOP = "while :; do sleep 0.1; done"


def test_a_resize_reaches_the_child(terminal: Start, confinement: Confinement) -> None:
    child = terminal(confinement, f'trap "stty size" WINCH; stty size; echo ready; {LOOP}')
    child.expect("40 120.*ready")

    child.setwinsize(33, 77)

    child.expect("33 77")


def test_ctrl_c_reaches_the_child_and_ends_nothing_else(terminal: Start, confinement: Confinement) -> None:
    child = terminal(confinement, f'trap "echo interrupted" INT; echo ready; {LOOP}')
    child.expect("ready")

    child.sendintr()
    child.expect("interrupted")
    child.sendintr()
    child.expect("interrupted")

    assert child.isalive()


def test_ctrl_c_ends_a_child_that_does_not_care(terminal: Start, confinement: Confinement) -> None:
    child = terminal(confinement, "echo ready; exec sleep 60")
    child.expect("ready")

    child.sendintr()

    child.expect(pexpect.EOF)


def test_the_child_has_a_controlling_terminal(terminal: Start, confinement: Confinement) -> None:
    child = terminal(confinement, "echo asked > /dev/tty && tty > /dev/null && echo named")

    child.expect("asked")
    child.expect("named")


def test_a_shell_with_job_control_works(terminal: Start, confinement: Confinement) -> None:
    child = terminal(confinement, "PS1='$ ' exec bash --norc --noprofile -i")
    child.expect(r"\$ ")

    # The job says itself that it is in the foreground; before that, bash would swallow the key.
    child.sendline("sh -c 'echo go$((1 + 1)); exec sleep 60'")
    child.expect("go2")
    child.sendintr()
    child.expect(r"\$ ")
    child.sendline("echo $((40 + 2))")

    child.expect("42")


def test_closing_the_terminal_ends_the_session(terminal: Start, confinement: Confinement) -> None:
    child = terminal(confinement, f"echo ready; {LOOP}")
    child.expect("ready")

    child.close(force=False)

    assert not child.isalive()


def test_the_program_can_be_asked_to_end(terminal: Start, confinement: Confinement) -> None:
    child = terminal(confinement, f'trap "echo asked; exit 3" TERM; echo ready; {LOOP}')
    child.expect("ready")
    assert child.pid is not None

    assert signal_program(child.pid, signal.SIGTERM)

    child.expect("asked")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 3
    assert not signal_program(child.pid, signal.SIGTERM)
