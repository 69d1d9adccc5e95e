"""Shapes of requests and answers, in the API's own spelling; the OpenAPI document is generated from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sidecar.model.command import InputMode
from sidecar.model.session import Activity, Renderer, SessionState, WorkspaceType

#: Longest time a call may wait, in seconds and milliseconds.
LONGEST_WAIT_S = 25
LONGEST_WAIT_MS = 25_000
#: Most bytes of output in one answer, and how many there are when nobody says.
MOST_BYTES = 1 << 20
SOME_BYTES = 256 << 10
#: Largest command, in bytes.
LARGEST_COMMAND = 16_384

Columns = Annotated[int, Field(ge=1, le=500)]
Wait = Annotated[float, Field(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for news.")]
MaxBytes = Annotated[int, Field(ge=4, le=MOST_BYTES)]
Cursor = Annotated[int, Field(ge=0, le=2**62, description="Absolute byte offset.")]
Encoding = Literal["utf8", "base64"]


class _Shape(BaseModel):
    """Camel case outside, no unknown fields, no guessing of types."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True, frozen=True
    )


class _Input(_Shape):
    """What callers send: in camel case only, or a field would have two names."""

    model_config = ConfigDict(populate_by_name=False)


class _Parameters(_Input):
    """Query parameters arrive as text, so numbers are read from it."""

    model_config = ConfigDict(strict=False)


class Credentials(_Input):
    """The user's own key; left out where the host's may be used."""

    anthropic_api_key: Annotated[
        str,
        Field(min_length=8, max_length=512, pattern=r"^[\x21-\x7e]+$", json_schema_extra={"writeOnly": True}),
    ]


class CreateBody(_Input):
    """Body of a create."""

    user_id: str | None = Field(None, description="Required with the service token.")
    credentials: Credentials | None = None
    workspace_type: WorkspaceType = WorkspaceType.ISOLATED
    session_id: UUID | None = Field(None, description="Chosen by the client, it makes the call repeatable.")
    columns: Columns = 120
    rows: Columns = 40
    workspace_name: str = "default"
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/\[\]-]{0,127}$")] | None = None
    renderer: Renderer = Renderer.AUTO
    wait_ms: Annotated[int, Field(ge=0, le=LONGEST_WAIT_MS)] = 15_000


class CommandBody(_Input):
    """Body of a command: text, base64 (raw), or key names."""

    command: str | list[str]
    mode: InputMode = InputMode.TEXT
    wait_ms: Annotated[int, Field(ge=0, le=LONGEST_WAIT_MS)] = 0
    stream: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")] | None = None
    seq: Annotated[int, Field(ge=1, le=2**53)] | None = None


class ResizeBody(_Input):
    """Body of a resize, in character cells."""

    columns: Columns
    rows: Columns


class OutputsBody(_Input):
    """Body of a pump call."""

    pump: Annotated[str, Field(min_length=1, max_length=128)]
    wait: Wait = 0
    max_bytes: MaxBytes = 64 << 10
    cursors: Annotated[dict[UUID, Cursor], Field(max_length=1000)]


class OutputQuery(_Parameters):
    """Parameters of an output read."""

    cursor: Cursor = 0
    wait: Wait = 0
    max_bytes: MaxBytes = SOME_BYTES
    encoding: Encoding = "utf8"
    clear: bool = Field(False, description="The predecessor's read: everything since the last such read.")


class ListQuery(_Parameters):
    """Parameters of a list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0
    state: SessionState | None = None


class SessionObject(_Shape):
    """A session."""

    session_id: UUID
    user_id: str
    state: SessionState
    activity: Activity
    workspace_type: WorkspaceType
    workspace_name: str
    columns: int
    rows: int
    output_offset: int
    created_at: datetime
    last_activity_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    reason: str | None
    claude_version: str | None


class OutputObject(_Shape):
    """Output from a cursor on; `dropped` bytes before it were never kept."""

    data: str
    encoding: Encoding
    cursor: int
    next_cursor: int
    dropped: int
    state: SessionState


class CommandObject(_Shape):
    """What became of a command; `cursor` is the output offset before it."""

    accepted: bool
    submitted: bool
    cursor: int
    output: OutputObject | None = None


class NewsObject(_Shape):
    """One session's news in a pump answer; a session that does not exist has state null."""

    data: str
    encoding: Encoding
    next_cursor: int
    dropped: int
    state: SessionState | None
    activity: Activity | None


class OutputsObject(_Shape):
    """News of many sessions; those without any are left out."""

    sessions: dict[UUID, NewsObject]


class CursorObject(_Shape):
    """Where the cursor stands, zero-based."""

    row: int
    column: int
    visible: bool


class ScreenObject(_Shape):
    """The rendered screen; `ansi` repaints it, the bytes from `offset` go on from there."""

    columns: int
    rows: int
    cursor: CursorObject
    lines: list[str]
    ansi: str
    title: str
    offset: int
    approximate: bool


class TerminatedObject(_Shape):
    """The answer to an end."""

    terminated: bool


class SessionPage(_Shape):
    """A page of sessions."""

    items: list[SessionObject]
    total: int
    limit: int
    offset: int


class CheckObject(_Shape):
    """One part of the health report."""

    ok: bool
    detail: str


class HealthObject(_Shape):
    """How the service is."""

    status: Literal["ok", "degraded", "draining"]
    version: str
    uptime_seconds: float
    sessions: int
    checks: dict[str, CheckObject]


class ProblemField(_Shape):
    """A broken rule."""

    field: str
    message: str


class Problem(_Shape):
    """RFC 9457; `error` equals `detail`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    error: str
    errors: list[ProblemField] | None = None
