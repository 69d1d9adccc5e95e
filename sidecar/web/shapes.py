"""Translating between the core's values and the API's shapes."""

from __future__ import annotations

from uuid import UUID

from sidecar.claude import keystrokes
from sidecar.errors import InvalidRequest, TooLarge
from sidecar.health import Health
from sidecar.model.command import Command, InputMode, Receipt
from sidecar.model.credential import Credential, KeyChoice
from sidecar.model.output import Reading
from sidecar.model.screen import Snapshot
from sidecar.model.session import Size, check_workspace_name
from sidecar.sessions.desk import Status
from sidecar.sessions.pump import Share
from sidecar.sessions.registry import NewSession
from sidecar.web import schemas
from sidecar.web.body import decoded, encoded


def new_session(body: schemas.CreateBody, user_id: str, session_id: UUID) -> NewSession:
    """Return what a create body asks for, on behalf of a user, under an id."""
    return NewSession(
        id=session_id,
        user_id=user_id,
        workspace_type=body.workspace_type,
        workspace_name=check_workspace_name(body.workspace_name),
        size=Size(body.columns, body.rows),
        renderer=body.renderer,
        model=body.model,
        key=_key_choice(body.credentials),
    )


def _key_choice(given: schemas.Credentials | None) -> KeyChoice:
    if given is None:
        return KeyChoice()
    return KeyChoice(given.anthropic_api_key, given.sealed, given.credential_id)


def command(body: schemas.CommandBody) -> Command:
    """Return the input a command body describes.

    Raises:
        TooLarge, InvalidRequest: it is too long, or does not fit its mode.
    """
    if (body.stream is None) != (body.seq is None):
        raise InvalidRequest.of("seq", "stream and seq belong together")
    if body.mode is InputMode.KEYS:
        return Command(body.mode, data=_keys(body.command), stream=body.stream, seq=body.seq)
    if not isinstance(body.command, str):
        raise InvalidRequest.of("command", "is text in this mode")
    if body.mode is InputMode.RAW:
        return Command(body.mode, data=_raw(body.command), stream=body.stream, seq=body.seq)
    _limit(_bytes(body.command))
    return Command(body.mode, text=keystrokes.checked_text(body.command), stream=body.stream, seq=body.seq)


def _keys(names: str | list[str]) -> bytes:
    listed = [names] if isinstance(names, str) else names
    data = keystrokes.key_bytes(listed)
    _limit(data)
    return data


def _raw(text: str) -> bytes:
    data = decoded(text, "command")
    _limit(data)
    return data


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest.of("command", "holds half of a surrogate pair") from None


def _limit(data: bytes) -> None:
    if len(data) > schemas.LARGEST_COMMAND:
        raise TooLarge(f"A command has at most {schemas.LARGEST_COMMAND} bytes.")


def session_object(status: Status) -> schemas.SessionObject:
    """Return a session in the API's shape."""
    session = status.session
    return schemas.SessionObject(
        session_id=session.id,
        user_id=session.user_id,
        state=session.state,
        activity=status.activity,
        workspace_type=session.workspace_type,
        workspace_name=session.workspace_name,
        columns=session.size.columns,
        rows=session.size.rows,
        output_offset=status.output_offset,
        created_at=session.created_at,
        last_activity_at=session.last_activity_at,
        ended_at=session.ended_at,
        exit_code=session.exit_code,
        reason=session.reason,
        claude_version=session.claude_version,
    )


def credential_object(credential: Credential) -> schemas.CredentialObject:
    """Return a stored key in the API's shape, which has no place for the key."""
    return schemas.CredentialObject(
        credential_id=credential.id, hint=credential.hint, created_at=credential.created_at
    )


def output_object(reading: Reading, encoding: schemas.Encoding) -> schemas.OutputObject:
    """Return output in the API's shape."""
    return schemas.OutputObject(
        data=encoded(reading.data, encoding),
        encoding=encoding,
        cursor=reading.cursor,
        next_cursor=reading.next_cursor,
        dropped=reading.dropped,
        state=reading.state,
    )


def command_object(receipt: Receipt, output: schemas.OutputObject | None = None) -> schemas.CommandObject:
    """Return what became of a command, with the output if it was waited for."""
    return schemas.CommandObject(
        accepted=receipt.accepted, submitted=receipt.submitted, cursor=receipt.cursor, output=output
    )


def outputs_object(news: dict[UUID, Share | None]) -> schemas.OutputsObject:
    """Return the news of many sessions; base64, because a pump's answer goes through XML."""
    return schemas.OutputsObject(sessions={session_id: _news(share) for session_id, share in news.items()})


def _news(share: Share | None) -> schemas.NewsObject:
    if share is None:
        return schemas.NewsObject(
            data="", encoding="base64", next_cursor=0, dropped=0, state=None, activity=None
        )
    reading = share.reading
    return schemas.NewsObject(
        data=encoded(reading.data, "base64"),
        encoding="base64",
        next_cursor=reading.next_cursor,
        dropped=reading.dropped,
        state=reading.state,
        activity=share.activity,
    )


def screen_object(snapshot: Snapshot) -> schemas.ScreenObject:
    """Return a screen in the API's shape."""
    cursor = snapshot.cursor
    return schemas.ScreenObject(
        columns=snapshot.columns,
        rows=snapshot.rows,
        cursor=schemas.CursorObject(row=cursor.row, column=cursor.column, visible=cursor.visible),
        lines=list(snapshot.lines),
        ansi=snapshot.ansi,
        title=snapshot.title,
        offset=snapshot.offset,
        approximate=snapshot.approximate,
    )


def health_object(health: Health, version: str) -> schemas.HealthObject:
    """Return the health report in the API's shape."""
    return schemas.HealthObject(
        status=health.status,
        version=version,
        uptime_seconds=round(health.uptime_s, 3),
        sessions=health.sessions,
        checks={
            name: schemas.CheckObject(ok=item.ok, detail=item.detail) for name, item in health.checks.items()
        },
    )
