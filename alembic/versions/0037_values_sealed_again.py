"""A value of the ledger, of an event or of a warning may be sealed again under another key: the one change of such a
row that is not refused. Everything else of the row stays, and so do the length of the value and that it is there.
"""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_SEALED = {"outcome": "evidence_sealed", "event": "sealed"}


def upgrade() -> None:
    for table, column in _SEALED.items():
        op.execute(
            f"""
            CREATE FUNCTION refuse_change_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE before {table}%ROWTYPE;
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    before := OLD;
                    before.{column} := NEW.{column};
                    IF before IS NOT DISTINCT FROM NEW
                        AND octet_length(OLD.{column}) = octet_length(NEW.{column})
                        AND substring(OLD.{column}, 1, 3) <> substring(NEW.{column}, 1, 3)
                    THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION '% is append-only: a correction is a new line', TG_TABLE_NAME;
            END
            $$
            """
        )
        op.execute(f"DROP TRIGGER append_only ON {table}")
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION refuse_change_of_{table}()"
        )


def downgrade() -> None:
    for table in _SEALED:
        op.execute(f"DROP TRIGGER append_only ON {table}")
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"DROP FUNCTION refuse_change_of_{table}()")
