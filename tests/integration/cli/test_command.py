"""The command as a whole: its help, how it ends, and as whom it works."""

from __future__ import annotations

import argparse
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar import cli
from sidecar.clock import SystemClock
from sidecar.sessions.ownership import Ownership
from tests.integration.cli.machine import COMMAND, Machine


def commands() -> list[str]:
    """Return every command with its verbs, as they are typed."""
    return [" ".join(words) for words in _below(cli._parser())]


def _below(parser: argparse.ArgumentParser) -> Iterator[list[str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield [name]
                yield from ([name, *words] for words in _below(below))


#: Those whose only argument is `--help`, and that say it in one line.
_PLAIN = {"serve", "settings"}


def test_the_help_lists_every_command_in_the_order_of_its_use(machine: Machine) -> None:
    said = machine.run("--help").stdout

    listed = re.findall(r"^    ([a-z-]+)(?: |$)", said, re.MULTILINE)
    assert listed == [
        "serve",
        "poller",
        "doctor",
        "migrate",
        "sessions",
        "drain",
        "keys",
        "rotate-keys",
        "audit",
        "settings",
        "app",
    ]


@pytest.mark.parametrize("command", commands())
def test_every_help_teaches_by_an_example(command: str) -> None:
    parser = cli._parser()
    for word in command.split():
        (below,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        parser = below.choices[word]

    said = parser.format_help()

    text = said.partition("\n\n")[2]  # behind the usage
    assert command in _PLAIN or re.search(
        rf"^ .*claude-sidecar {command.split(maxsplit=1)[0]}", text, re.MULTILINE
    )
    assert max(map(len, said.splitlines())) <= 120


def test_nobody_reading_the_output_is_no_fault(machine: Machine) -> None:
    for words in ("settings", "--help", "doctor"):
        ended = machine.run(before=["sh", "-c", f'("$@" {words}; echo "ended with $?" >&2) | true', "sh"])

        assert ended.stderr == "ended with 141\n", words


@pytest.fixture
def service_of_somebody(machine: Machine) -> Iterator[None]:
    """Hold the data directory, as a running service does."""
    ownership = Ownership(machine.data_dir, SystemClock())
    ownership.acquire(0)
    ownership.publish(["some-key"])
    yield
    ownership.release()


@pytest.mark.usefixtures("service_of_somebody")
def test_ctrl_c_ends_it_quietly(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call, and never answers
        machine.environment["SIDECAR_PORT"] = str(silent.getsockname()[1])
        with (
            subprocess.Popen(
                [*COMMAND, "drain"], env=machine.environment, cwd=machine.folder, stderr=subprocess.PIPE
            ) as process,
            silent.accept()[0],
        ):  # it is connected
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)

    assert (process.returncode, said) == (130, b"")


def test_a_wrong_setting_is_one_line_for_every_command(machine: Machine) -> None:
    machine.environment["SIDECAR_PROT"] = "1"

    for words in (["migrate"], ["sessions", "list"], ["drain"]):
        ended = machine.run(*words)

        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == "claude-sidecar: Unknown setting SIDECAR_PROT: see docs/configuration.md.\n"


def test_an_account_without_a_name_is_known_by_its_number(machine: Machine) -> None:
    """In a container it may have none."""
    before = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", "/dev/null", "/etc/passwd", "--"]

    assert machine.run("sessions", "list", before=before).returncode == 0
    assert "number" in machine.doctor(*before)["account"].detail


@pytest.mark.root
def test_as_root_every_command_works_as_the_account(machine: Machine) -> None:
    with tempfile.TemporaryDirectory(prefix="sidecar-cli-") as name:
        Path(name).chmod(0o755)
        roots = Machine(Path(name), int(machine.environment["SIDECAR_PORT"]))

        assert roots.run("migrate").returncode == 0
        assert roots.run("sessions", "list").returncode == 0
        assert roots.run("sessions", "end", "--all", "--yes").returncode == 0
        assert "No service runs" in roots.run("drain").stderr
        owners = {path.stat().st_uid for path in (roots.data_dir, *roots.data_dir.rglob("*"))}
    assert len(owners) == 1
    assert 0 not in owners
