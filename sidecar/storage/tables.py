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
    UniqueConstraint,
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
    # The key of a user who stored none, sealed; or the stored one, by its id.
    Column("credential", LargeBinary),
    Column("credential_id", Uuid),
    # The actor that created it; another one's reading is audited.
    Column("created_by", PlainText),
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

credentials = Table(
    "credentials",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", PlainText, nullable=False),
    Column("hint", PlainText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # Hash of the JWE it came in, until that is too old to be used again.
    Column("seal_digest", LargeBinary),
    Column("seal_expires_at", UtcTime),
    # Of a removed one only the row stays, so that the JWE it came in does not bring it back.
    Column("removed_at", UtcTime),
    Column("sealed", LargeBinary),
    UniqueConstraint("user_id", "seal_digest", name="credentials_by_seal"),
    Index("credentials_by_user", "user_id", "created_at", "id"),
)

sealing_keys = Table(
    "sealing_keys",
    metadata,
    Column("kid", PlainText, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime),
    Column("private", LargeBinary, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("user_id", PlainText, nullable=False),
    Column("name", PlainText, nullable=False),
    Column("scopes", PlainText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("digest", LargeBinary, nullable=False),
    Index("api_keys_by_user", "user_id", "created_at", "id"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("key_id", PlainText, ForeignKey("api_keys.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("sign_ins_by_age", "expires_at"),
)

answers = Table(
    "answers",
    metadata,
    Column("user_id", PlainText, primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    # The id reserved for what the request makes, if it makes something: so it is made once, also after a crash.
    Column("resource_id", Uuid),
    # Missing until the request has been answered.
    Column("status", Integer),
    Column("content_type", PlainText),
    # The digest of the request, and behind it the body of its answer.
    Column("sealed", LargeBinary, nullable=False),
    Index("answers_by_age", "created_at"),
)

audit = Table(
    "audit",
    metadata,
    # SQLite counts up by itself only in a column of exactly this type.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False),
    Column("actor", PlainText, nullable=False),
    Column("action", PlainText, nullable=False),
    Column("user_id", PlainText),
    Column("session_id", Uuid),
    Column("request_id", PlainText),
    Column("detail", PlainText, nullable=False),
    # Hash over this entry and the digest of the one before it.
    Column("digest", LargeBinary, nullable=False),
    Index("audit_by_age", "at"),
    Index("audit_by_session", "session_id", "number"),
    Index("audit_by_user", "user_id", "number"),
)
