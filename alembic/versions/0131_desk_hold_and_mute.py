"""Hold and mute in calls from a desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0131"
down_revision = "0130"
branch_labels = None
depends_on = None

_FLAGS = ("in_room", "is_held", "mutes", "is_muted")
_NUMBERS = ("hold_sequence", "mute_sequence")
_MOMENTS = ("told_at", "hold_since", "talk_due_at", "hold_alarm_at")


def upgrade() -> None:
    for name in _FLAGS:
        op.add_column("desk_call", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    for name in _NUMBERS:
        op.add_column("desk_call", sa.Column(name, sa.Integer, nullable=False, server_default="-1"))
    for name in _MOMENTS:
        op.add_column("desk_call", sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column("desk_call", sa.Column("room_sid", sa.Text))


def downgrade() -> None:
    for name in (*_FLAGS, *_NUMBERS, *_MOMENTS, "room_sid"):
        op.drop_column("desk_call", name)
