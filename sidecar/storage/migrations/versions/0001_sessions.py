"""Make the tables of sessions and their output."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sessions()
    _outputs()


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("workspace_type", sa.Text(), nullable=False),
        sa.Column("workspace_name", sa.Text(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("renderer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sa.Column("claude_version", sa.Text()),
        sa.Column("output_offset", sa.BigInteger(), nullable=False),
        sa.Column("reserved_offset", sa.BigInteger(), nullable=False),
        sa.Column("process_offset", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("credential", sa.LargeBinary()),
    )
    op.create_index("sessions_by_user", "sessions", ["user_id", "created_at", "id"])
    op.create_index("sessions_by_state", "sessions", ["state"])


def _outputs() -> None:
    owner = sa.ForeignKey("sessions.id", ondelete="CASCADE")
    op.create_table(
        "outputs",
        sa.Column("session_id", sa.Uuid(), owner, primary_key=True),
        sa.Column("offset", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_index("outputs_by_age", "outputs", ["stored_at", "session_id", "offset"])
