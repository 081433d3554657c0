"""A draft of the rules beside the live ones: the grades that each gives a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None

_GRADES = "('extra_high', 'high', 'medium', 'low')"


def upgrade() -> None:
    op.create_table(
        "shadow",
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["rule_version.id"], name=op.f("fk_shadow_version_id_rule_version")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_shadow")),
    )
    op.create_table(
        "shadow_person",
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("person_hash", BYTEA, nullable=False),
        sa.Column("live_grade", sa.Text(), nullable=True),
        sa.Column("draft_grade", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"live_grade IN {_GRADES}", name=op.f("ck_shadow_person_live_grade")),
        sa.CheckConstraint(f"draft_grade IN {_GRADES}", name=op.f("ck_shadow_person_draft_grade")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["shadow.version_id"],
            name=op.f("fk_shadow_person_version_id_shadow"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "person_hash", name=op.f("pk_shadow_person")),
    )
    op.create_index("ix_shadow_person_changed_at", "shadow_person", ["changed_at"], unique=False)


def downgrade() -> None:
    op.drop_table("shadow_person")
    op.drop_table("shadow")
