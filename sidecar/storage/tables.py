"""The tables, as the newest migration leaves them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    Uuid,
)

#: The largest value of a BIGINT; sqlite3 raises OverflowError beyond it instead of a database error.
LARGEST = 2**63 - 1


class UtcTime(TypeDecorator[datetime]):
    """An aware time, given back in UTC. SQLite has no zones, so it stores UTC without saying so."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Convert to UTC; a naive time is taken as a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class PlainText(TypeDecorator[str]):
    """Text that no database refuses: PostgreSQL takes no NUL, and neither takes half a surrogate pair."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


metadata = MetaData()

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),
    Column("workspace_type", PlainText, nullable=False),
    Column("workspace_name", PlainText, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("renderer", PlainText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_activity_at", UtcTime, nullable=False),
    Column("conversation_id", Uuid, nullable=False),
    Column("model", PlainText),
    Column("ended_at", UtcTime),
    Column("exit_code", Integer),
    Column("reason", PlainText),
    Column("claude_version", PlainText),
    Column("output_offset", BigInteger, nullable=False),
    Column("reserved_offset", BigInteger, nullable=False),
    Column("process_offset", BigInteger, nullable=False),
    # Bytes of output in `outputs`, kept in step with it, so that retention need not add up that table.
    Column("stored_bytes", BigInteger, nullable=False),
    Column("credential", LargeBinary),
    Index("sessions_by_user", "user_id", "created_at", "id"),
    Index("sessions_by_state", "state"),
)

outputs = Table(
    "outputs",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("length", Integer, nullable=False),
    Column("stored_at", UtcTime, nullable=False),
    # Last, because SQLite need not read the blob's pages for the columns before it.
    Column("sealed", LargeBinary, nullable=False),
    Index("outputs_by_age", "stored_at", "session_id", "offset"),
)
