"""Web Push: the browsers in which people receive notifications, and after how long their rules use it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, UUID

revision = "0139"
down_revision = "0138"
branch_labels = None
depends_on = None

_BEFORE = "('desktop', 'webhook', 'sms', 'call')"
_AFTER = "('desktop', 'push', 'webhook', 'sms', 'call')"


def upgrade() -> None:
    op.create_table(
        "push_browser",
        sa.Column("id", UUID(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", BYTEA(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wait_until", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_push_browser_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_browser")),
    )
    op.create_index("ix_push_browser_staff_id", "push_browser", ["staff_id"])
    op.add_column("notification_rules", sa.Column("push_seconds", sa.Integer()))
    op.create_check_constraint(
        op.f("ck_notification_rules_push_seconds"),
        "notification_rules",
        "push_seconds BETWEEN 0 AND 86400",
    )
    _channels(_AFTER)


def downgrade() -> None:
    op.execute("DELETE FROM notification WHERE channel = 'push'")
    _channels(_BEFORE)
    op.drop_constraint(op.f("ck_notification_rules_push_seconds"), "notification_rules")
    op.drop_column("notification_rules", "push_seconds")
    op.drop_table("push_browser")


def _channels(words: str) -> None:
    name = op.f("ck_notification_channel")
    op.drop_constraint(name, "notification")
    op.create_check_constraint(name, "notification", f"channel IN {words}")
