"""One HTTP connection: reads requests, asks the script, plays the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer
from typing import Any, ClassVar, cast

from emulator.anthropic import message, prompt, stream
from emulator.anthropic.failure import Failure, Refused
from emulator.anthropic.line import Closing, Line
from emulator.anthropic.plan import Plan
from emulator.anthropic.record import LONGEST_TEXT, MOST_EARLIER, Headers
from emulator.anthropic.stage import Stage
from emulator.anthropic.words import ENDLESS_TOKENS_PER_SECOND

LARGEST_BODY_BYTES = 8 * 1024 * 1024

#: A refused body is still read up to here: closing with unread bytes would reset the connection
#: and could take the error answer with it.
LARGEST_DISCARD_BYTES = 64 * 1024 * 1024

READ_BYTES = 64 * 1024


class Handler(BaseHTTPRequestHandler):
    """Serves one connection in a thread of its own."""

    protocol_version = "HTTP/1.1"
    server_version = "anthropic-emulator"
    sys_version = ""
    # Small writes: without this each event may wait for the acknowledgement of the one before.
    disable_nagle_algorithm = True

    def __init__(self, stage: Stage, request: Any, client_address: Any, server: BaseServer) -> None:
        """Serve the connection `request` to its end."""
        self.stage = stage
        self.line = Line(request, stage.closing, stage.clock)
        self.number = 0
        super().__init__(request, client_address, server)  # the base class does all its work in here

    def handle(self) -> None:
        """Serve requests until either side ends; a client that leaves between two is no error."""
        try:
            super().handle()
        except (ConnectionError, Closing):
            self.close_connection = True

    def do_GET(self) -> None:
        """Answer `GET`: the request log at `/requests`, 404 for anything else."""
        if self._path() == "/requests":  # not logged itself: reading the log must not change it
            self._json(200, self.stage.record.documents())
        else:
            self._serve(self._missing)

    def do_HEAD(self) -> None:
        """Answer `HEAD`: 200 for the CLI's connectivity check, 404 for anything else."""
        self._serve(self._hello if self._path() == "/api/hello" else self._missing)

    def do_POST(self) -> None:
        """Answer `POST`: the two calls of the Messages API, `{}` for anything else."""
        self._serve(self._posts.get(self._path(), Handler._nothing).__get__(self))

    def _serve(self, answer: Callable[[], None]) -> None:
        """Run `answer` for the request at hand and log how it went."""
        self.credentials = Headers.of(cast(Mapping[str, str], self.headers))
        self.number = self.stage.record.open(self.command, self._path(), self.credentials)
        try:
            answer()
        except Refused as refused:
            self._fail(refused.failure)
        except ConnectionError:
            self._note(client_gone=True)
            self.close_connection = True
        finally:
            self._note(done=True)
            self.number = 0  # what the base class answers on its own belongs to no entry

    def _missing(self) -> None:
        self._body()
        raise Refused(404, "Not found")

    def _hello(self) -> None:
        self._body()
        self._json(200, None)

    def _nothing(self) -> None:
        self._body()
        self._json(200, {})

    def _count(self) -> None:
        document = prompt.parse(self._json_body())
        self._json(200, {"input_tokens": prompt.count_tokens(document)})

    def _messages(self) -> None:
        request = prompt.read(self._json_body())
        plan = self._plan(request)
        self._note(
            model=self.credentials.mask(request.model),
            text=self.credentials.mask(request.last_text, LONGEST_TEXT),
            earlier=tuple(self.credentials.mask(text) for text in request.earlier[-MOST_EARLIER:]),
            stream=request.stream,
            behaviour=plan.behaviour,
        )
        self.line.pause(plan.delay)
        envelope = message.Envelope(request.model, request.input_tokens)
        if plan.failure:
            self._fail(plan.failure)
        elif request.stream:
            self._stream(envelope, plan)
        else:
            self._plain(envelope, plan)

    def _plan(self, request: prompt.Request) -> Plan:
        plan = self.stage.script.plan(request)
        if plan.attempts is None:
            return plan
        attempt = self.stage.attempts.count(self.credentials.session, request.prompt)
        return plan if attempt <= plan.attempts else replace(plan, failure=None)

    def _stream(self, envelope: message.Envelope, plan: Plan) -> None:
        """Play `plan` event by event, each at its time."""
        rate = self._rate(plan)
        self.close_connection = True  # the answer has no length, so its end is the end of the connection
        self._head(200, {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"})
        start, said = self.stage.clock.monotonic(), 0
        try:
            for event in stream.events(envelope, plan, rate):
                if rate and event.tokens:
                    self.line.pause_until(start + said / rate)
                self.wfile.write(event.encode())
                said += event.tokens
        finally:
            self._note(output_tokens=said)
        self._drop_if(plan)

    def _plain(self, envelope: message.Envelope, plan: Plan) -> None:
        if plan.endless:
            self.line.pause_for_ever()
        tokens = message.output_tokens(plan)
        rate = self._rate(plan)
        self.line.pause(tokens / rate if rate else 0)
        body = json.dumps(message.plain(envelope, plan)).encode()
        self._head(200, {"content-type": "application/json", "content-length": str(len(body))})
        self.wfile.write(body[: len(body) // 2] if plan.dropped else body)
        self._note(output_tokens=tokens)
        self._drop_if(plan)

    def _rate(self, plan: Plan) -> float:
        """Return the tokens per second of `plan`, 0 for no pacing."""
        if plan.rate is None and plan.endless and not self.stage.tokens_per_second:
            return ENDLESS_TOKENS_PER_SECOND
        return self.stage.tokens_per_second if plan.rate is None else plan.rate

    def _drop_if(self, plan: Plan) -> None:
        if plan.dropped:
            self.line.reset()
            self.close_connection = True
            # Both must go, or the socket stays open and the server says an orderly goodbye first.
            self.rfile.close()
            self.connection.close()

    def _json_body(self) -> bytes:
        content_type = self.headers.get("content-type", "application/json")
        body = self._body()
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, "content-type must be application/json")
        return body

    def _body(self) -> bytes:
        """Return the request's body; raises `Refused`."""
        length = self._length()
        if length > LARGEST_BODY_BYTES:
            self.close_connection = True
            self._discard(min(length, LARGEST_DISCARD_BYTES))
            raise Refused(413, "Request exceeds the maximum size")
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the client left in the middle of its request")
        return body

    def _length(self) -> int:
        """Return the announced length of the body; without a usable one the connection cannot go on."""
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers:
            self.close_connection = True
            raise Refused(411, "A content-length is required")
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            self.close_connection = True
            raise Refused(400, "content-length is not a number")
        return int(length)

    def _discard(self, length: int) -> None:
        while length > 0 and (read := self.rfile.read(min(length, READ_BYTES))):
            length -= len(read)

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _note(self, **changes: Any) -> None:
        self.stage.record.update(self.number, **changes)

    def _fail(self, failure: Failure) -> None:
        self._json(failure.status, failure.body, failure.headers)

    def _json(self, status: int, document: object, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole answer; None has no body."""
        body = b"" if document is None else json.dumps(document).encode()
        described = {"content-type": "application/json", "content-length": str(len(body))}
        self._head(status, described | dict(headers or {}))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("request-id", message.request_id())
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self._note(status=status)

    def send_error(
        self,
        code: int,
        message: str | None = None,
        explain: str | None = None,  # noqa: ARG002 - the base class passes it
    ) -> None:
        """Answer what the base class refuses (a bad request line, an unknown method) in the API's shape."""
        self.close_connection = True
        self._fail(Failure(int(code), message or "Bad request"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write nothing: the request log tells more, and never a key."""

    _posts: ClassVar[dict[str, Callable[[Handler], None]]] = {
        "/v1/messages": _messages,
        "/v1/messages/count_tokens": _count,
    }
