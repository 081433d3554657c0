"""Knowledge cards with their versions, and which of them callers used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0126"
down_revision = "0123"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_card",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("shipped_as", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_card")),
        sa.UniqueConstraint("shipped_as", name=op.f("uq_knowledge_card_shipped_as")),
    )
    op.create_table(
        "knowledge_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("card_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("retires", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_version")),
        sa.ForeignKeyConstraint(
            ["card_id"], ["knowledge_card.id"], name=op.f("fk_knowledge_version_card_id")
        ),
        sa.UniqueConstraint("card_id", "number", name=op.f("uq_knowledge_version_card_id_number")),
        sa.CheckConstraint(
            "\"state\" IN ('approved', 'draft', 'refused', 'withdrawn')",
            name=op.f("ck_knowledge_version_state"),
        ),
        sa.CheckConstraint(
            "number > 0 AND length(digest) = 64 AND reason <> ''", name=op.f("ck_knowledge_version_whole")
        ),
        sa.CheckConstraint(
            "(state = 'draft') = (decided_by IS NULL) AND (state = 'draft') = (decided_at IS NULL)",
            name=op.f("ck_knowledge_version_decided"),
        ),
        sa.CheckConstraint(
            "state = 'withdrawn' OR decided_by <> drafted_by", name=op.f("ck_knowledge_version_second_person")
        ),
        sa.CheckConstraint("state <> 'refused' OR why <> ''", name=op.f("ck_knowledge_version_why")),
    )
    op.create_index(
        "uq_knowledge_version_draft",
        "knowledge_version",
        ["card_id"],
        unique=True,
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.create_table(
        "knowledge_use",
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("passage", sa.SmallInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("assignment_id", "version_id", "passage", name=op.f("pk_knowledge_use")),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_knowledge_use_assignment_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["knowledge_version.id"], name=op.f("fk_knowledge_use_version_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_knowledge_use_case_id")),
        sa.CheckConstraint("passage >= 0", name=op.f("ck_knowledge_use_passage")),
    )
    op.create_index(op.f("ix_knowledge_use_version_id"), "knowledge_use", ["version_id"])
    op.create_index("ix_knowledge_use_at", "knowledge_use", ["at"])
    op.execute("""
        CREATE FUNCTION refuse_other_card() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.state = 'draft'
                AND (NEW.id, NEW.card_id, NEW.number, NEW.content, NEW.digest, NEW.retires, NEW.drafted_by)
                    IS NOT DISTINCT FROM
                    (OLD.id, OLD.card_id, OLD.number, OLD.content, OLD.digest, OLD.retires, OLD.drafted_by)
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION '% is append-only: another content is another version', TG_TABLE_NAME;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON knowledge_version"
        " FOR EACH ROW EXECUTE FUNCTION refuse_other_card()"
    )
    op.execute(
        "CREATE TRIGGER append_only_all BEFORE TRUNCATE ON knowledge_version"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("knowledge_use")
    op.drop_table("knowledge_version")
    op.drop_table("knowledge_card")
    op.execute("DROP FUNCTION refuse_other_card()")
