"""What lists write by the thousand is held to its parents by foreign keys again, as every other table is."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
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


def upgrade() -> None:
    for child, column, parent, key in _REFERENCES:
        name = f"fk_{child}_{column}"
        for table, what in ((child, "added"), (child, "changed"), (parent, "orphaned")):
            op.execute(f'DROP TRIGGER {name}_{what} ON "{table}"')
            op.execute(f"DROP FUNCTION {name}_{what}()")
        op.create_foreign_key(name, child, parent, [column], [key])


def downgrade() -> None:
    raise RuntimeError("foreign keys are undone by restoring the backup that was made before them")
