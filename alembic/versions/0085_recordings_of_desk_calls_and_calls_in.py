"""Recordings of calls from a desk and of calls in, beside those of the robot's calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("desk_call", "inbound_call"):
        op.add_column(table, sa.Column("records", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("recording", sa.Column("desk_call_id", sa.UUID()))
    op.create_unique_constraint(op.f("uq_recording_desk_call_id"), "recording", ["desk_call_id"])
    op.create_foreign_key(
        op.f("fk_recording_desk_call_id"), "recording", "desk_call", ["desk_call_id"], ["id"]
    )
    op.add_column("recording", sa.Column("inbound_call_id", sa.UUID()))
    op.create_unique_constraint(op.f("uq_recording_inbound_call_id"), "recording", ["inbound_call_id"])
    op.create_foreign_key(
        op.f("fk_recording_inbound_call_id"), "recording", "inbound_call", ["inbound_call_id"], ["id"]
    )
    op.alter_column("recording", "attempt_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_recording_call"),
        "recording",
        "num_nonnulls(attempt_id, desk_call_id, inbound_call_id) = 1",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_recording_call"), "recording")
    op.execute("DELETE FROM recording WHERE attempt_id IS NULL")
    op.alter_column("recording", "attempt_id", nullable=False)
    for table in ("inbound_call", "desk_call"):
        op.drop_column("recording", f"{table}_id")
        op.drop_column(table, "records")
