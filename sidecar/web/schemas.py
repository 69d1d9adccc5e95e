"""Shapes of requests and answers, in the API's own spelling; the OpenAPI document is generated from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from sidecar.model.command import InputMode
from sidecar.model.credential import API_KEY_CHARACTERS, LONGEST_API_KEY, SHORTEST_API_KEY
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


ApiKey = Annotated[
    str,
    Field(
        min_length=SHORTEST_API_KEY,
        max_length=LONGEST_API_KEY,
        pattern=API_KEY_CHARACTERS,
        json_schema_extra={"writeOnly": True},
    ),
]
#: Its length is not checked here: a sealed key that is too long is refused in the same words as any other.
Sealed = Annotated[
    str,
    Field(
        description="A compact JWE to the public key (ECDH-ES, A256GCM), with `kid`, `userId` and `iat` in its header.",
        json_schema_extra={"writeOnly": True},
    ),
]


class Credentials(_Input):
    """The key of a session: exactly one of these. Left out for the user's only stored one, or for the host's."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    anthropic_api_key: ApiKey | None = Field(None, repr=False)
    sealed: Sealed | None = Field(None, repr=False)
    credential_id: UUID | None = Field(None, description="A key stored before.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.anthropic_api_key, self.sealed, self.credential_id)) != 1:
            raise PydanticCustomError(
                "one_of", "give exactly one of anthropicApiKey, sealed and credentialId"
            )
        return self


class CredentialBody(_Input):
    """Body that stores a key: exactly one of the two."""

    user_id: str | None = Field(None, description="Required with the service token.")
    anthropic_api_key: ApiKey | None = Field(None, repr=False)
    sealed: Sealed | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.anthropic_api_key is None) == (self.sealed is None):
            raise PydanticCustomError("one_of", "give exactly one of anthropicApiKey and sealed")
        return self


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

    # One wrong name is enough: a body has room for half a million.
    command: str | Annotated[list[str], Field(fail_fast=True)] = Field(repr=False)
    mode: InputMode = InputMode.TEXT
    wait_ms: Annotated[
        int,
        Field(
            ge=0,
            le=LONGEST_WAIT_MS,
            description="Time for the screen to settle. Keys and raw bytes with at most 300, in which none does, are "
            "answered with their echo, as soon as that is painted.",
        ),
    ] = 0
    max_bytes: MaxBytes = SOME_BYTES
    encoding: Encoding = "utf8"
    pump: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=128,
            description="The pump whose reader gets this answer too: it does not repeat the output in it. When the "
            "user has too many calls waiting, this one is answered at once and the pump brings the output.",
        ),
    ] = None
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
    max_bytes: Annotated[MaxBytes, Field(description="Shared by the sessions with news.")] = 64 << 10
    cursors: Annotated[dict[UUID, Cursor], Field(max_length=1000)]


class OutputQuery(_Parameters):
    """Parameters of an output read."""

    cursor: Cursor = 0
    wait: Wait = 0
    max_bytes: MaxBytes = SOME_BYTES
    encoding: Encoding = "utf8"
    clear: bool = Field(False, description="The predecessor's read: everything since the last such read.")


class PageQuery(_Parameters):
    """Parameters of a list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0


class ListQuery(PageQuery):
    """Parameters of a list of what has states."""

    state: SessionState | None = None


class SessionsQuery(ListQuery):
    """Parameters of the list of sessions."""

    owner: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="Another user, or `*` for all; needs the scope admin."
    )


class SignInForm(_Input):
    """The form of the sign-in page."""

    key: Annotated[str, Field(max_length=1000, repr=False, json_schema_extra={"writeOnly": True})]


class DrainBody(_Input):
    """Body of a drain."""

    draining: bool


class DrainObject(_Shape):
    """Whether new sessions are refused, and how many sessions have a running program."""

    draining: bool
    sessions: int


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


class PublicKeyObject(_Shape):
    """The public key to seal API keys to, as a JWK; `kid` is its RFC 7638 thumbprint."""

    kty: str
    crv: str
    x: str
    y: str
    use: str
    alg: str
    kid: str


class CredentialObject(_Shape):
    """A stored key; `hint` is its last four characters."""

    credential_id: UUID
    hint: str
    created_at: datetime


class CredentialPage(_Shape):
    """A page of stored keys, newest first."""

    items: list[CredentialObject]
    total: int
    limit: int
    offset: int


class RemovedObject(_Shape):
    """The answer to a removal."""

    removed: bool


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
