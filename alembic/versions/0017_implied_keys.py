"""A warning's and an attempt's person is its case's, which the case's own key guards."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("warning", "attempt"):
        op.drop_constraint(f"fk_{table}_person_id", table, type_="foreignkey")


def downgrade() -> None:
    for table in ("warning", "attempt"):
        op.create_foreign_key(f"fk_{table}_person_id", table, "person", ["person_id"], ["id"])
