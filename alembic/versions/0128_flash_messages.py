"""Flash messages, which are repeated until the person is reached."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0128"
down_revision = "0127"
branch_labels = None
depends_on = None

_PURPOSE, _REPEAT = "ck_message_purpose", "ck_message_repeat"
_BEFORE, _ONCE = "uq_message_case_id_purpose", "uq_message_case_id_purpose_repeat"


def upgrade() -> None:
    op.add_column("message", sa.Column("repeat", sa.SmallInteger(), server_default="0", nullable=False))
    op.drop_constraint(_PURPOSE, "message")
    op.create_check_constraint(
        op.f(_PURPOSE), "message", "purpose IN ('unreachable', 'after_warning', 'flash')"
    )
    op.create_check_constraint(op.f(_REPEAT), "message", "(purpose = 'flash') = (repeat > 0) AND repeat >= 0")
    op.drop_constraint(_BEFORE, "message")
    op.create_unique_constraint(op.f(_ONCE), "message", ["case_id", "purpose", "repeat"])


def downgrade() -> None:
    op.execute("DELETE FROM message WHERE purpose = 'flash'")
    op.drop_constraint(_ONCE, "message")
    op.create_unique_constraint(op.f(_BEFORE), "message", ["case_id", "purpose"])
    op.drop_constraint(_REPEAT, "message")
    op.drop_constraint(_PURPOSE, "message")
    op.create_check_constraint(op.f(_PURPOSE), "message", "purpose IN ('unreachable', 'after_warning')")
    op.drop_column("message", "repeat")
