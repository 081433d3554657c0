"""What a list writes by the thousand is held to its parents once a statement, not once a row (docs/decisions/0317); a
ring that was never accepted has no entry among those that were.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_REFERENCES = (
    ("person_phone", "person_id", "person", "id"),
    ("person_key", "person_id", "person", "id"),
    ("case", "person_id", "person", "id"),
    ("case", "load_id", "list_load", "id"),
    ("case", "policy_version", "policy_version", "version"),
    ("warning", "case_id", "case", "id"),
    ("warning", "load_id", "list_load", "id"),
    ("attempt", "case_id", "case", "id"),
)
# Few rows against many: never by reading all parents, whatever a plan made for an empty table believes.
_BY_INDEX = "SET enable_hashjoin = off SET enable_mergejoin = off"


def upgrade() -> None:
    op.drop_constraint("uq_attempt_sid", "attempt", type_="unique")
    op.create_index("uq_attempt_sid", "attempt", ["sid"], unique=True, postgresql_where="sid IS NOT NULL")
    for child, column, parent, key in _REFERENCES:
        name = f"{child}_{column}"
        refuse = (
            f"RAISE foreign_key_violation USING MESSAGE = '{child}.{column} names no {parent}',"
            f" TABLE = '{child}', COLUMN = '{column}', CONSTRAINT = 'fk_{name}'"
        )
        op.drop_constraint(f"fk_{name}", child, type_="foreignkey")
        op.execute(
            f"""
            CREATE FUNCTION fk_{name}_added() RETURNS trigger LANGUAGE plpgsql {_BY_INDEX} AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM fresh WHERE {column} IS NOT NULL
                    AND NOT EXISTS (SELECT FROM "{parent}" AS parent WHERE parent.{key} = fresh.{column})
                ) THEN {refuse}; END IF;
                RETURN NULL;
            END
            $$
            """
        )
        op.execute(
            f"""
            CREATE FUNCTION fk_{name}_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM "{parent}" WHERE {key} = NEW.{column}) THEN {refuse}; END IF;
                RETURN NULL;
            END
            $$
            """
        )
        op.execute(
            f"""
            CREATE FUNCTION fk_{name}_orphaned() RETURNS trigger LANGUAGE plpgsql {_BY_INDEX} AS $$
            BEGIN
                IF EXISTS (SELECT FROM gone JOIN "{child}" AS child ON child.{column} = gone.{key}) THEN
                    RAISE foreign_key_violation USING MESSAGE = '{parent} is still named by {child}.{column}',
                    TABLE = '{child}', COLUMN = '{column}', CONSTRAINT = 'fk_{name}';
                END IF;
                RETURN NULL;
            END
            $$
            """
        )
        op.execute(
            f'CREATE TRIGGER fk_{name}_added AFTER INSERT ON "{child}" REFERENCING NEW TABLE AS fresh'
            f" FOR EACH STATEMENT EXECUTE FUNCTION fk_{name}_added()"
        )
        op.execute(
            f'CREATE TRIGGER fk_{name}_changed AFTER UPDATE OF {column} ON "{child}" FOR EACH ROW'
            f" WHEN (NEW.{column} IS NOT NULL AND OLD.{column} IS DISTINCT FROM NEW.{column})"
            f" EXECUTE FUNCTION fk_{name}_changed()"
        )
        op.execute(
            f'CREATE TRIGGER fk_{name}_orphaned AFTER DELETE ON "{parent}" REFERENCING OLD TABLE AS gone'
            f" FOR EACH STATEMENT EXECUTE FUNCTION fk_{name}_orphaned()"
        )


def downgrade() -> None:
    op.drop_index("uq_attempt_sid", "attempt")
    op.create_unique_constraint("uq_attempt_sid", "attempt", ["sid"])
    for child, column, parent, key in _REFERENCES:
        name = f"{child}_{column}"
        for table, what in ((child, "added"), (child, "changed"), (parent, "orphaned")):
            op.execute(f'DROP TRIGGER fk_{name}_{what} ON "{table}"')
            op.execute(f"DROP FUNCTION fk_{name}_{what}()")
        op.create_foreign_key(f"fk_{name}", child, parent, [column], [key])
