"""Make the tables of credentials, sealing keys, API keys, sign-ins, stored answers and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("credential_id", sa.Uuid()))
    op.add_column("sessions", sa.Column("created_by", sa.Text()))
    _credentials()
    _sealing_keys()
    _api_keys()
    _sign_ins()
    _answers()
    _audit()


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = True, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, primary_key=primary_key)


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _text("user_id", nullable=False),
        _text("hint", nullable=False),
        _time("created_at", nullable=False),
        sa.Column("seal_digest", sa.LargeBinary()),
        _time("seal_expires_at"),
        _time("removed_at"),
        sa.Column("sealed", sa.LargeBinary()),
        sa.UniqueConstraint("user_id", "seal_digest", name="credentials_by_seal"),
    )
    op.create_index("credentials_by_user", "credentials", ["user_id", "created_at", "id"])


def _sealing_keys() -> None:
    op.create_table(
        "sealing_keys",
        _text("kid", nullable=False, primary_key=True),
        _time("created_at", nullable=False),
        _time("retired_at"),
        sa.Column("private", sa.LargeBinary(), nullable=False),
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        _text("id", nullable=False, primary_key=True),
        _text("user_id", nullable=False),
        _text("name", nullable=False),
        _text("scopes", nullable=False),
        _time("created_at", nullable=False),
        _time("expires_at"),
        _time("last_used_at"),
        _time("revoked_at"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
    )
    op.create_index("api_keys_by_user", "api_keys", ["user_id", "created_at", "id"])


def _sign_ins() -> None:
    key = sa.ForeignKey("api_keys.id", ondelete="CASCADE")
    op.create_table(
        "sign_ins",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("key_id", sa.Text(), key, nullable=False),
        _time("created_at", nullable=False),
        _time("expires_at", nullable=False),
    )
    op.create_index("sign_ins_by_age", "sign_ins", ["expires_at"])


def _answers() -> None:
    op.create_table(
        "answers",
        _text("user_id", nullable=False, primary_key=True),
        _text("key", nullable=False, primary_key=True),
        _time("created_at", nullable=False),
        sa.Column("resource_id", sa.Uuid()),
        sa.Column("status", sa.Integer()),
        _text("content_type"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_index("answers_by_age", "answers", ["created_at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        _time("at", nullable=False),
        _text("actor", nullable=False),
        _text("action", nullable=False),
        _text("user_id"),
        sa.Column("session_id", sa.Uuid()),
        _text("request_id"),
        _text("detail", nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
    )
    op.create_index("audit_by_age", "audit", ["at"])
    op.create_index("audit_by_session", "audit", ["session_id", "number"])
    op.create_index("audit_by_user", "audit", ["user_id", "number"])
