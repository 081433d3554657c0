"""Supervisors who listen to calls from desks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0133"
down_revision = "0132"
branch_labels = None
depends_on = None

_STATES = "('moving', 'calling', 'connected', 'leaving', 'ended')"
_MODES = "('listen', 'whisper', 'step_in')"
_LIVE = sa.text("state <> 'ended'")


def upgrade() -> None:
    op.add_column("desk_call", sa.Column("needs_room", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "desk_listener",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("call_id", sa.UUID(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("is_announced", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wants", sa.Text(), nullable=False),
        sa.Column("has", sa.Text()),
        sa.Column("asked", sa.Text()),
        sa.Column("sid", sa.Text()),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alarm_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_desk_listener_state")),
        sa.CheckConstraint(f"wants IN {_MODES}", name=op.f("ck_desk_listener_wants")),
        sa.CheckConstraint(f"has IN {_MODES}", name=op.f("ck_desk_listener_has")),
        sa.CheckConstraint(f"asked IN {_MODES}", name=op.f("ck_desk_listener_asked")),
        sa.ForeignKeyConstraint(["call_id"], ["desk_call.id"], name=op.f("fk_desk_listener_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_listener")),
        sa.UniqueConstraint("sid", name=op.f("uq_desk_listener_sid")),
    )
    op.create_index(
        "uq_desk_listener_live", "desk_listener", ["call_id"], unique=True, postgresql_where=_LIVE
    )
    op.create_index(
        "uq_desk_listener_extension", "desk_listener", ["extension"], unique=True, postgresql_where=_LIVE
    )
    op.create_index("ix_desk_listener_call_id", "desk_listener", ["call_id"])


def downgrade() -> None:
    op.drop_table("desk_listener")
    op.drop_column("desk_call", "needs_room")
