"""A terminado server as its documentation builds one: each WebSocket gets a terminal of its own."""

from __future__ import annotations

import asyncio
import sys

from terminado.management import UniqueTermManager
from terminado.websocket import TermSocket
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application


async def serve(program: str) -> None:
    """Serve terminals of `program` on a free port of loopback, and say which, until ended."""
    manager = UniqueTermManager(shell_command=[program])
    server = HTTPServer(Application([(r"/terminal", TermSocket, {"term_manager": manager})]))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(f"Listening at: http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
