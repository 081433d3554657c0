"""How people on duty are told of work: their own rules, and what was sent to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, UUID

revision = "0112"
down_revision = "0111"
branch_labels = None
depends_on = None

_CHANNELS = ("desktop", "webhook", "sms", "call")
_FORMATS = ("standard", "wecom", "dingtalk")
_STATES = ("waiting", "sending", "sent", "accepted", "failed", "dropped")
_FAULTS = ("no_page", "refused", "uncertain", "undelivered", "unanswered")
_NOT_NOTIFIED = "state = 'open' AND (notified_token IS DISTINCT FROM token OR escalated_at > notified_at)"


def upgrade() -> None:
    op.create_table(
        "notification_rules",
        sa.Column("staff_id", sa.BigInteger(), nullable=False, autoincrement=False),
        *(sa.Column(f"{channel}_seconds", sa.Integer()) for channel in _CHANNELS),
        sa.Column("quiet_from", sa.Time()),
        sa.Column("quiet_to", sa.Time()),
        sa.Column("format", sa.Text(), server_default="standard", nullable=False),
        sa.Column("sealed", BYTEA(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.CheckConstraint(
                f"{channel}_seconds BETWEEN 0 AND 86400",
                name=op.f(f"ck_notification_rules_{channel}_seconds"),
            )
            for channel in _CHANNELS
        ),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_to IS NULL)", name=op.f("ck_notification_rules_quiet")
        ),
        sa.CheckConstraint(f"format IN {_FORMATS}", name=op.f("ck_notification_rules_format")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_notification_rules_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_notification_rules")),
    )
    op.create_table(
        "notification",
        sa.Column("id", UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("assignment_ids", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("tokens", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("fault", sa.Text()),
        sa.CheckConstraint(
            "cardinality(assignment_ids) = cardinality(tokens)", name=op.f("ck_notification_tokens")
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (fault IS NOT NULL)", name=op.f("ck_notification_fault_state")
        ),
        sa.CheckConstraint(f"channel IN {_CHANNELS}", name=op.f("ck_notification_channel")),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_notification_state")),
        sa.CheckConstraint(f"fault IN {_FAULTS}", name=op.f("ck_notification_fault")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_notification_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    waiting, sending = sa.text("state = 'waiting'"), sa.text("state = 'sending'")
    op.create_index(
        "uq_notification_waiting",
        "notification",
        ["staff_id", "channel", "is_test"],
        unique=True,
        postgresql_where=waiting,
    )
    op.create_index("ix_notification_due", "notification", ["due_at"], postgresql_where=waiting)
    op.create_index("ix_notification_sending", "notification", ["lease_until"], postgresql_where=sending)
    op.create_index("ix_notification_staff", "notification", ["staff_id", "created_at"])
    op.create_index("ix_notification_created_at", "notification", ["created_at"])
    op.add_column("assignment", sa.Column("notified_token", sa.BigInteger()))
    op.add_column("assignment", sa.Column("notified_at", sa.DateTime(timezone=True)))
    # Of work that waits already nobody is told after the upgrade.
    op.execute(
        "UPDATE assignment SET notified_token = token, notified_at = coalesce(escalated_at, opened_at)"
        " WHERE state = 'open'"
    )
    op.create_index(
        "ix_assignment_not_notified",
        "assignment",
        ["unit_id", "kind"],
        postgresql_where=sa.text(_NOT_NOTIFIED),
    )


def downgrade() -> None:
    op.drop_index("ix_assignment_not_notified", "assignment")
    op.drop_column("assignment", "notified_at")
    op.drop_column("assignment", "notified_token")
    op.drop_table("notification")
    op.drop_table("notification_rules")
