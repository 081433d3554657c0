"""Data are kept for a time: who and what was erased, and lines of the audit that a checkpoint lets go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("erased_at", sa.DateTime(timezone=True)))
    op.add_column("case", sa.Column("conversation_erased_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE person SET erased_at = erasure.decided_at FROM erasure WHERE erasure.state = 'erased'"
        " AND erasure.person_id = person.id AND erasure.person_created_at = person.created_at"
    )
    op.create_index("ix_person_kept", "person", ["created_at"], postgresql_where=sa.text("erased_at IS NULL"))
    op.create_index(
        "ix_case_conversation",
        "case",
        ["settled_at"],
        postgresql_where=sa.text("settled_at IS NOT NULL AND conversation_erased_at IS NULL"),
    )
    # The service may delete a line of the audit only when a checkpoint permits it and it is older than the law asks.
    op.execute(
        """
        CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.at < now() - interval '180 days' AND EXISTS (
                SELECT FROM audit WHERE act = 'audit_checkpoint'
                AND CAST(facts ->> 'through' AS bigint) >= coalesce(OLD.number, 1)
            ) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION '% is append-only: a correction is a new line', TG_TABLE_NAME;
        END
        $$
        """
    )
    op.execute(
        "CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit()"
    )
    op.execute("ALTER TABLE audit ENABLE ALWAYS TRIGGER append_only")


def downgrade() -> None:
    op.execute(
        "CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("ALTER TABLE audit ENABLE ALWAYS TRIGGER append_only")
    op.execute("DROP FUNCTION refuse_change_of_audit()")
    op.drop_index("ix_case_conversation", "case")
    op.drop_index("ix_person_kept", "person")
    op.drop_column("case", "conversation_erased_at")
    op.drop_column("person", "erased_at")
