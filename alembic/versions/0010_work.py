"""Work of people: leases, levels risen, call-backs, transfers, what phones send and show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_MOMENTS = ("lease_until", "idle_at", "rise_at", "call_at", "kept_until")


def upgrade() -> None:
    op.add_column("assignment", sa.Column("token", sa.BigInteger(), server_default="0", nullable=False))
    for name in ("raises", "transfers"):
        op.add_column("assignment", sa.Column(name, sa.SmallInteger(), server_default="0", nullable=False))
    for name in _MOMENTS:
        op.add_column("assignment", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("assignment", sa.Column("kept_for", sa.Text(), nullable=True))
    op.add_column("assignment", sa.Column("stage", sa.Text(), server_default="none", nullable=False))
    op.create_check_constraint(
        op.f("ck_assignment_stage"),
        "assignment",
        "\"stage\" IN ('none', 'accepted', 'on_the_way', 'arrived', 'seen')",
    )
    op.create_index(
        "ix_assignment_signed", "assignment", ["signed_by"], postgresql_where=sa.text("state = 'signed'")
    )
    op.create_index(
        "ix_assignment_kept_for",
        "assignment",
        ["kept_for"],
        postgresql_where=sa.text("state = 'open' AND kept_for IS NOT NULL"),
    )
    op.create_table(
        "assignment_transfer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("from_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("to_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "\"state\" IN ('asked', 'accepted', 'refused')", name=op.f("ck_assignment_transfer_state")
        ),
        sa.CheckConstraint(
            "(state = 'asked') = (answered_at IS NULL)", name=op.f("ck_assignment_transfer_answered")
        ),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_assignment_transfer_assignment_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_unit_id"], ["unit.id"], name=op.f("fk_assignment_transfer_from_unit_id")
        ),
        sa.ForeignKeyConstraint(["to_unit_id"], ["unit.id"], name=op.f("fk_assignment_transfer_to_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_transfer")),
    )
    op.create_index(op.f("ix_assignment_transfer_assignment_id"), "assignment_transfer", ["assignment_id"])
    op.create_index(
        "uq_assignment_transfer_asked",
        "assignment_transfer",
        ["assignment_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_index(
        "ix_assignment_transfer_to",
        "assignment_transfer",
        ["to_unit_id", "at"],
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "sent_act",
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", postgresql.BYTEA(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_sent_act_assignment_id")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_sent_act")),
    )
    op.create_index(op.f("ix_sent_act_assignment_id"), "sent_act", ["assignment_id"])
    op.create_table(
        "visit_photo",
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("stripped_bytes", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_visit_photo_size_bytes")),
        sa.ForeignKeyConstraint(["client_id"], ["sent_act.client_id"], name=op.f("fk_visit_photo_client_id")),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_visit_photo_assignment_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_visit_photo_case_id")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_visit_photo")),
    )
    op.create_index(op.f("ix_visit_photo_assignment_id"), "visit_photo", ["assignment_id"])
    op.create_index(op.f("ix_visit_photo_case_id"), "visit_photo", ["case_id"])


def downgrade() -> None:
    op.drop_table("visit_photo")
    op.drop_table("sent_act")
    op.drop_table("assignment_transfer")
    for name in ("token", "raises", "transfers", *_MOMENTS, "kept_for", "stage"):
        op.drop_column("assignment", name)
