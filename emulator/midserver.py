"""The emulated MID Server as a process, in a home of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from emulator.rhino import FOLDER, Program

MAIN = FOLDER / "mid" / "main.js"

#: Lets the MID run scripts that come through the queue, and nothing else.
FIREWALL = """\
security:
  eccFirewall:
    mode: enforcing
    rules:
      - tags: [javascript]
        action: accept
"""
_SECRETS = frozenset({"mid.instance.password", "mid.claude.sidecar.token"})


@dataclass(frozen=True)
class Account:
    """How the MID signs in."""

    url: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Sidecar:
    """Where the sidecar is, and the file on the MID host that holds its token."""

    url: str
    token_file: Path


class MidServer:
    """One MID Server; it may be started, stopped and killed many times, and keeps its home."""

    def __init__(self, home: Path, name: str, account: Account) -> None:
        """Describe a MID whose home is `home`; `prepare` writes that."""
        self.home = home
        self.name = name
        self.account = account
        ready = rf"emulated MID Server {re.escape(name)} is up"
        self.program = Program(MAIN, ["--home", str(home)], home / "mid.out", ready)

    def prepare(self, sidecar: Sidecar | None = None, firewall: str = FIREWALL, **parameters: str) -> None:
        """Write `config.xml` and `boot-config.yaml`.

        Args:
            sidecar: What the app's MID script calls; None leaves its parameters out.
            firewall: The content of `boot-config.yaml`.
            parameters: More parameters; `__` in a name stands for the dot that Python does not allow.
        """
        more = {name.replace("__", "."): value for name, value in parameters.items()}
        if sidecar is not None:
            own = {
                "mid.claude.sidecar.url": sidecar.url,
                "mid.claude.sidecar.token_file": str(sidecar.token_file),
            }
            more = own | more
        _write(self.home / "config.xml", _config(self._own_parameters() | more))
        _write(self.home / "boot-config.yaml", firewall)

    def start(self) -> None:
        """Start it and wait until it is up."""
        self.program.start()

    def stop(self) -> int:
        """End it in order; return its exit status."""
        return self.program.stop()

    def kill9(self) -> None:
        """Kill it at once."""
        self.program.kill9()

    def log(self) -> str:
        """Return what its scripts and itself have logged."""
        file = self.home / "logs" / "agent.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def _own_parameters(self) -> dict[str, str]:
        return {
            "url": self.account.url,
            "mid.instance.username": self.account.user,
            "mid.instance.password": self.account.password,
            "name": self.name,
            "mid_sys_id": "",
        }


def keep_token(home: Path, token: str) -> Path:
    """Write a sidecar's token into a MID's home, for its account only; return the file."""
    return _write(home / "claude-token", token + "\n")


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)
    return file


def _config(parameters: Mapping[str, str]) -> str:
    lines = [_parameter(name, value) for name, value in parameters.items()]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<parameters>", *lines, "</parameters>", ""])


def _parameter(name: str, value: str) -> str:
    secure = ' secure="true"' if name in _SECRETS else ""
    return f"  <parameter name={quoteattr(name)}{secure} value={quoteattr(value)}/>"
