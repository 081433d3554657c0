"""Lines of the audit are numbered and chained from here on. Those of before are covered by the first line that a process
of this version adds. Only the owner may do more than add and read lines, and its triggers fire for every session.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0034"
down_revision = "0032"
branch_labels = None
depends_on = None

_GRANTEES = """
DO $$
DECLARE grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
        FROM pg_class AS class, aclexplode(class.relacl) AS acl
        WHERE class.oid = 'audit'::regclass AND acl.grantee <> class.relowner
    LOOP
        EXECUTE 'REVOKE ALL ON audit FROM ' || grantee;
        EXECUTE 'REVOKE ALL ON audit_head FROM ' || grantee;
        IF grantee <> 'PUBLIC' THEN
            EXECUTE 'GRANT SELECT, INSERT ON audit TO ' || grantee;
            EXECUTE 'GRANT SELECT, UPDATE ON audit_head TO ' || grantee;
        END IF;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.add_column("audit", sa.Column("number", sa.BigInteger()))
    op.add_column("audit", sa.Column("seal", BYTEA))
    op.add_column("audit", sa.Column("chain", BYTEA))
    op.create_index("uq_audit_number", "audit", ["number"], unique=True)
    # A CHECK would hold for the lines of before too.
    op.execute(
        """
        CREATE FUNCTION refuse_unchained() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a new line of % has a number, a seal and a chain', TG_TABLE_NAME;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER chained BEFORE INSERT ON audit FOR EACH ROW"
        " WHEN (NEW.number IS NULL OR NEW.seal IS NULL OR NEW.chain IS NULL)"
        " EXECUTE FUNCTION refuse_unchained()"
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("chain", BYTEA, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.execute("INSERT INTO audit_head (id, number, chain) VALUES (1, 0, '')")
    op.execute(
        "CREATE TRIGGER keep_head BEFORE DELETE OR TRUNCATE ON audit_head"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    # Also in a session whose session_replication_role is replica.
    for table, trigger in (
        ("audit", "append_only"),
        ("audit", "append_only_all"),
        ("audit", "chained"),
        ("audit_head", "keep_head"),
    ):
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
    op.execute(_GRANTEES)


def downgrade() -> None:
    raise RuntimeError("the chain of the audit is undone by restoring the backup that was made before it")
