"""The plain server: gunicorn as the sidecar runs it, with a Flask view that does nothing."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.client import Address
from benchmarks.service import awaited, scratch, started, tree

_APP = """\
import flask

app = flask.Flask("bare")


@app.route("/bare", methods=["GET", "POST"])
def bare():
    return {"given": len(flask.request.get_json()) if flask.request.data else 0}
"""
_LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")
#: It says that it boots before it has loaded the application.
_BOOT_S = 1.0


@dataclass(frozen=True)
class Plain:
    """A running plain server: its address and its processes."""

    address: Address
    pids: tuple[int, ...]


@contextmanager
def serving() -> Iterator[Plain]:
    """Run the plain server; end it afterwards."""
    with scratch() as folder:
        (folder / "bareapp.py").write_text(_APP)
        options = ["-k", "gthread", "--threads", "128", "-w", "1", "-b", "127.0.0.1:0", "--no-control-socket"]
        command = [sys.executable, "-m", "gunicorn", *options, "--keep-alive", "75", "bareapp:app"]
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder)}
        with started(command, environment, folder) as (process, log):
            port = int(awaited(process, log, _LISTENING)[1])
            awaited(process, log, re.compile(r"Booting worker"))
            time.sleep(_BOOT_S)
            yield Plain(Address(port, ""), tree(process.pid))
